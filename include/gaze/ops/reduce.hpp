// SPDX-License-Identifier: MIT
// Reductions: sum, mean, variance, max, min, logsumexp. Without axes they reduce everything to
// shape []; with axes (sum(x, 1), sum(x, {0, -1})) these stay with size 1, as does the one axis of
// argmax and argmin. Then softmax, log_softmax and cumsum along one axis, which keep the shape.
// Every result has one fixed order of summation: the same bits at any number of threads.
#pragma once
#include <limits>

#include "gaze/ops/axes.hpp"
#include "gaze/ops/elementwise.hpp"

namespace gaze {

/// The sum of all elements, shape []; dx = dy everywhere.
template <class T, class Device>
Tensor<T, Device> sum(const Tensor<T, Device>& input) {
  detail::check_defined("sum", input);
  const auto x = contiguous(input);
  Tensor<T, Device> y(Shape{});
  Kernels<Device>::sum_to(x.numel(), x.data(), y.data());
  if (recorded(x))
    record(
        "sum", y,
        [to = x.node()](const auto& dy) {
          Tensor<T, Device> g(to->shape);
          Kernels<Device>::fill_from(g.numel(), dy.data(), g.data());
          to->take(std::move(g));
        },
        x);
  return y;
}

/// The sum along some axes, which stay with size 1; dx = dy stretched.
template <class T, class Device>
Tensor<T, Device> sum(const Tensor<T, Device>& x, const Axes& axes) {
  detail::check_defined("sum", x);
  const auto plan = detail::plan_axes("sum", x.shape(), axes);
  Tensor<T, Device> y(plan.kept);
  Kernels<Device>::fill(y.numel(), T(0), y.data());
  // As columns, with the summed axes first: column_sum then reads whole rows of memory.
  Shape order = plan.order;
  const int kept = order.rank() - axes.rank();
  std::rotate(&order[0], &order[0] + kept, &order[0] + order.rank());
  const auto columns = contiguous(detail::moved(x.detach(), order));
  if (columns.numel() > 0) Kernels<Device>::column_sum(plan.n, plan.rows, columns.data(), y.data());
  if (recorded(x))
    record(
        "sum", y, [to = x.node()](const auto& dy) { to->add(contiguous(expand(dy, to->shape))); },
        x);
  return y;
}

/// The mean of all n elements, shape []; dx = dy / n everywhere.
template <class T, class Device>
Tensor<T, Device> mean(const Tensor<T, Device>& x) {
  detail::check_defined("mean", x);
  GAZE_CHECK(x.numel() > 0, "mean", "of no elements: shape ", x.shape());
  return scale(sum(x), T(1) / static_cast<T>(x.numel()));
}

/// The mean of the n elements along some axes, which stay with size 1; dx = dy / n stretched.
template <class T, class Device>
Tensor<T, Device> mean(const Tensor<T, Device>& x, const Axes& axes) {
  detail::check_defined("mean", x);
  const Index n = detail::plan_axes("mean", x.shape(), axes).n;
  GAZE_CHECK(n > 0, "mean", "of no elements: axes ", axes, " of ", x.shape());
  return scale(sum(x, axes), T(1) / static_cast<T>(n));
}

namespace detail {

/// Applies f(rows) -> [R] and restores the axes with size 1.
template <class T, class Device, class Function>
Tensor<T, Device> reduce_rows(const Tensor<T, Device>& x, const AxisPlan& plan, Function f) {
  return reshape(f(rows_of(x, plan)), plan.kept);
}

template <class T, class Device>
Tensor<T, Device> variance_rows(const Tensor<T, Device>& x, T inverse) {
  using K = Kernels<Device>;
  const Index rows = x.size(0), n = x.size(1);
  Tensor<T, Device> y({rows});
  K::variance_forward(rows, n, inverse, x.data(), y.data());
  if (recorded(x))
    record(
        "variance", y,
        [rows, n, inverse, x = Saved<T, Device>("variance", x), to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({rows, n});
          K::variance_backward(rows, n, inverse, x.data(), dy.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace detail

/// sum (x - mean)^2 / (n - correction) along some axes, which stay with size 1;
/// dx = 2 dy (x - mean) / (n - correction).
///
/// Correction 0 is the population's variance, 1 the unbiased estimate from a sample. Two passes.
template <class T, class Device>
Tensor<T, Device> variance(const Tensor<T, Device>& x, const Axes& axes, Index correction = 0) {
  detail::check_defined("variance", x);
  const auto plan = detail::plan_axes("variance", x.shape(), axes);
  GAZE_CHECK(plan.n > correction, "variance", "of ", plan.n, " elements with correction ",
             correction, ": axes ", axes, " of ", x.shape());
  const T inverse = T(1) / static_cast<T>(plan.n - correction);
  return detail::reduce_rows(
      x, plan, [inverse](const auto& rows) { return detail::variance_rows(rows, inverse); });
}
/// The variance of all elements as of a population, shape [].
template <class T, class Device>
Tensor<T, Device> variance(const Tensor<T, Device>& x) {
  return reshape(variance(x, detail::all_axes(x.shape())), {});
}

namespace detail {

inline void check_some(const char* op, const AxisPlan& plan, const Shape& shape) {
  GAZE_CHECK(plan.n > 0, op, "of no elements: shape ", shape);
  GAZE_CHECK(plan.n <= std::numeric_limits<std::int32_t>::max(), op, "too many elements: ", shape);
}

template <class T, class Device>
Tensor<T, Device> extreme(const char* op, const Tensor<T, Device>& input, const Axes& axes,
                          bool greatest) {
  using K = Kernels<Device>;
  check_defined(op, input);
  const auto plan = plan_axes(op, input.shape(), axes);
  check_some(op, plan, input.shape());
  return reduce_rows(input, plan, [&](const Tensor<T, Device>& x) {
    const Index rows = plan.rows, n = plan.n;
    Indices<Device> best({rows});
    K::best_in_rows(rows, n, greatest, x.data(), best.data());
    Tensor<T, Device> y({rows});
    K::gather_elements(rows, n, 1, x.data(), best.data(), y.data());
    if (recorded(x))
      record(
          op, y,
          [rows, n, best, to = x.node()](const auto& dy) {
            K::scatter_add_elements(rows, n, 1, dy.data(), best.data(), to->accumulator());
          },
          x);
    return y;
  });
}

template <class T, class Device>
Indices<Device> arg_extreme(const char* op, const Tensor<T, Device>& x, const Axes& axes,
                            bool greatest) {
  check_defined(op, x);
  refuse_gradient(op, x);
  const auto plan = plan_axes(op, x.shape(), axes);
  check_some(op, plan, x.shape());
  const auto seen = rows_of(x.detach(), plan);
  Indices<Device> best({plan.rows});
  Kernels<Device>::best_in_rows(plan.rows, plan.n, greatest, seen.data(), best.data());
  return best.view(0, plan.kept, contiguous_strides(plan.kept));
}

}  // namespace detail

/// The greatest element along some axes, which stay with size 1; the gradient goes to the first of
/// equal ones.
///
/// A NaN counts as the greatest.
template <class T, class Device>
Tensor<T, Device> max(const Tensor<T, Device>& x, const Axes& axes) {
  return detail::extreme("max", x, axes, true);
}
/// The greatest of all elements, shape [].
template <class T, class Device>
Tensor<T, Device> max(const Tensor<T, Device>& x) {
  return reshape(max(x, detail::all_axes(x.shape())), {});
}

/// The least element along some axes, otherwise as max().
template <class T, class Device>
Tensor<T, Device> min(const Tensor<T, Device>& x, const Axes& axes) {
  return detail::extreme("min", x, axes, false);
}
/// The least of all elements, shape [].
template <class T, class Device>
Tensor<T, Device> min(const Tensor<T, Device>& x) {
  return reshape(min(x, detail::all_axes(x.shape())), {});
}

/// The index of the greatest element (the first of equals) along an axis, which stays with size 1.
///
/// gather(x, axis, argmax(x, axis)) is max(x, axis). No derivative: throws if one is needed.
template <class T, class Device>
Indices<Device> argmax(const Tensor<T, Device>& x, int axis) {
  return detail::arg_extreme("argmax", x, axis, true);
}

/// The index of the least element, otherwise as argmax().
template <class T, class Device>
Indices<Device> argmin(const Tensor<T, Device>& x, int axis) {
  return detail::arg_extreme("argmin", x, axis, false);
}

namespace detail {

template <class T, class Device>
Tensor<T, Device> logsumexp_rows(const Tensor<T, Device>& x) {
  using K = Kernels<Device>;
  const Index rows = x.size(0), n = x.size(1);
  Tensor<T, Device> y({rows});
  K::logsumexp_forward(rows, n, x.data(), y.data());
  if (recorded(x))
    record(
        "logsumexp", y,
        [rows, n, x = Saved<T, Device>("logsumexp", x), to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({rows, n});
          K::logsumexp_backward(rows, n, x.data(), dy.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace detail

/// log sum e^x along some axes, which stay with size 1, without overflow;
/// dx = dy softmax(x), 0 for a row of only -inf.
///
/// -inf of no elements.
template <class T, class Device>
Tensor<T, Device> logsumexp(const Tensor<T, Device>& x, const Axes& axes) {
  detail::check_defined("logsumexp", x);
  const auto plan = detail::plan_axes("logsumexp", x.shape(), axes);
  return detail::reduce_rows(x, plan,
                             [](const auto& rows) { return detail::logsumexp_rows(rows); });
}
/// log sum e^x of all elements, shape [].
template <class T, class Device>
Tensor<T, Device> logsumexp(const Tensor<T, Device>& x) {
  return reshape(logsumexp(x, detail::all_axes(x.shape())), {});
}

namespace detail {

/// softmax of rows, or with `log` log_softmax.
template <class T, class Device>
Tensor<T, Device> softmax_rows(const char* op, bool log, const Tensor<T, Device>& x) {
  using K = Kernels<Device>;
  const Index rows = x.size(0), n = x.size(1);
  Tensor<T, Device> y(x.shape());
  K::softmax_forward(log, rows, n, x.data(), y.data());
  if (recorded(x))
    record(
        op, y,
        [log, rows, n, y = Saved<T, Device>(op, y), to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({rows, n});
          K::softmax_backward(log, rows, n, y.data(), dy.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

template <class T, class Device>
Tensor<T, Device> cumsum_rows(const Tensor<T, Device>& x) {
  using K = Kernels<Device>;
  const Index rows = x.size(0), n = x.size(1);
  Tensor<T, Device> y(x.shape());
  K::cumsum(rows, n, false, x.data(), y.data());
  if (recorded(x))
    record(
        "cumsum", y,
        [rows, n, to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({rows, n});
          K::cumsum(rows, n, true, dy.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace detail

/// e^x / sum e^x along an axis; dx = y (dy - sum dy y).
template <class T, class Device>
Tensor<T, Device> softmax(const Tensor<T, Device>& x, int axis) {
  detail::check_defined("softmax", x);
  const auto plan = detail::plan_axes("softmax", x.shape(), axis);
  return detail::from_rows(detail::softmax_rows("softmax", false, detail::rows_of(x, plan)), plan);
}

/// x - log sum e^x along an axis; dx = dy - e^y sum dy.
template <class T, class Device>
Tensor<T, Device> log_softmax(const Tensor<T, Device>& x, int axis) {
  detail::check_defined("log_softmax", x);
  const auto plan = detail::plan_axes("log_softmax", x.shape(), axis);
  return detail::from_rows(detail::softmax_rows("log_softmax", true, detail::rows_of(x, plan)),
                           plan);
}

/// y[j] = x[0] + ... + x[j] along an axis, summed in double; dx is the same from the other end.
template <class T, class Device>
Tensor<T, Device> cumsum(const Tensor<T, Device>& x, int axis) {
  detail::check_defined("cumsum", x);
  const auto plan = detail::plan_axes("cumsum", x.shape(), axis);
  return detail::from_rows(detail::cumsum_rows(detail::rows_of(x, plan)), plan);
}

}  // namespace gaze
