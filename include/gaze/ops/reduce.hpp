// SPDX-License-Identifier: MIT
// Reductions: sum, mean, variance, max, min, argmax, argmin, logsumexp. Without axes they go over
// everything and give shape []; with axes, which may be negative, these stay with size 1. Every
// result has one fixed order of summation: the same bits at any number of threads.
#pragma once
#include <cmath>
#include <concepts>
#include <limits>

#include "gaze/ops/axes.hpp"
#include "gaze/ops/elementwise.hpp"

namespace gaze {

/// The sum of all elements, shape [].
template <class T, class Device>
Tensor<T, Device> sum(const Tensor<T, Device>& input) {
  const auto x = contiguous(input);
  auto y = Tensor<T, Device>::scalar(
      static_cast<T>(Kernels<Device>::sum(x.numel(), static_cast<const T*>(x.data()))));
  if (recorded(x))
    record(
        "sum", y,
        [to = x.node()](const auto& dy) {
          Tensor<T, Device> g(to->shape);
          Kernels<Device>::fill(g.numel(), dy.item(), g.data());
          to->take(std::move(g));
        },
        x);
  return y;
}

/// The sum along some axes, which stay with size 1.
template <class T, class Device>
Tensor<T, Device> sum(const Tensor<T, Device>& x, const Shape& axes) {
  const auto plan = detail::plan_axes("sum", x.shape(), axes);
  Tensor<T, Device> y(plan.kept);
  Kernels<Device>::fill(y.numel(), T(0), y.data());
  // As columns: the summed axes first, then column_sum goes over whole rows of memory at once.
  Shape order = plan.order;
  const int kept = order.rank() - axes.rank();
  std::rotate(&order[0], &order[0] + kept, &order[0] + order.rank());
  const auto columns = contiguous(detail::moved(x.detach(), order));
  if (columns.numel() > 0)
    Kernels<Device>::column_sum(plan.n, plan.rows, static_cast<const T*>(columns.data()), y.data());
  if (recorded(x))
    record(
        "sum", y, [to = x.node()](const auto& dy) { to->add(contiguous(expand(dy, to->shape))); },
        x);
  return y;
}
template <class T, class Device, std::integral Axis>
Tensor<T, Device> sum(const Tensor<T, Device>& x, Axis axis) {
  return sum(x, detail::one_axis(static_cast<int>(axis)));
}

/// The mean of all elements, shape [].
template <class T, class Device>
Tensor<T, Device> mean(const Tensor<T, Device>& x) {
  GAZE_CHECK(x.numel() > 0, "mean", "of no elements: shape ", x.shape());
  return scale(sum(x), T(1) / static_cast<T>(x.numel()));
}

/// The mean along some axes, which stay with size 1.
template <class T, class Device>
Tensor<T, Device> mean(const Tensor<T, Device>& x, const Shape& axes) {
  const Index n = detail::plan_axes("mean", x.shape(), axes).n;
  GAZE_CHECK(n > 0, "mean", "of no elements: axes ", axes, " of ", x.shape());
  return scale(sum(x, axes), T(1) / static_cast<T>(n));
}

namespace detail {

/// Applies f(rows) -> [R] and gives the result its axes of size 1 back.
template <class T, class Function>
Tensor<T> reduce_rows(const Tensor<T>& x, const AxisPlan& plan, Function f) {
  return reshape(f(rows_of(x, plan)), plan.kept);
}

template <class T>
double row_mean(const T* x, Index n) {
  double total = 0;
  for (Index j = 0; j < n; ++j) total += static_cast<double>(x[j]);
  return total / static_cast<double>(n);
}

template <class T>
Tensor<T> variance_rows(const Tensor<T>& x, T inverse) {
  const Index rows = x.size(0), n = x.size(1);
  Tensor<T> y({rows});
  for_each_row(rows, n, [&](Index r) {
    const T* const row = x.data() + r * n;
    const double center = row_mean(row, n);
    double squares = 0;
    for (Index j = 0; j < n; ++j) {
      const double d = static_cast<double>(row[j]) - center;
      squares += d * d;
    }
    y.data()[r] = static_cast<T>(squares * static_cast<double>(inverse));
  });
  if (recorded(x))
    record(
        "variance", y,
        [rows, n, inverse, x = Saved<T, Cpu>("variance", x), to = x.node()](const auto& dy) {
          const T* const in = x.data();
          Tensor<T> dx({rows, n});
          for_each_row(rows, n, [&](Index r) {
            const T center = static_cast<T>(row_mean(in + r * n, n));
            const T slope = 2 * inverse * dy.data()[r];
            for (Index j = r * n; j < (r + 1) * n; ++j) dx.data()[j] = slope * (in[j] - center);
          });
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace detail

/// sum (x - mean)^2 / (n - correction) along some axes, which stay with size 1; two passes.
/// Correction 0 is the population's variance, 1 the unbiased estimate from a sample.
/// dx = 2 dy (x - mean) / (n - correction).
template <class T>
Tensor<T> variance(const Tensor<T>& x, const Shape& axes, Index correction = 0) {
  const auto plan = detail::plan_axes("variance", x.shape(), axes);
  GAZE_CHECK(plan.n > correction, "variance", "of ", plan.n, " elements with correction ",
             correction, ": axes ", axes, " of ", x.shape());
  const T inverse = T(1) / static_cast<T>(plan.n - correction);
  return detail::reduce_rows(
      x, plan, [inverse](const auto& rows) { return detail::variance_rows(rows, inverse); });
}

namespace detail {

/// Where each row's greatest (or least) element is: the first of equals, or the first NaN.
template <class T>
Indices<Cpu> best_in_rows(const Tensor<T>& x, bool greatest) {
  const Index rows = x.size(0), n = x.size(1);
  Indices<Cpu> best({rows});
  for_each_row(rows, n, [&](Index r) {
    const T* const row = x.data() + r * n;
    Index at = 0;
    for (Index j = 1; j < n && row[at] == row[at]; ++j) {
      const bool better = greatest ? row[j] > row[at] : row[j] < row[at];
      if (better || row[j] != row[j]) at = j;
    }
    best.data()[r] = static_cast<std::int32_t>(at);
  });
  return best;
}

inline void check_some(const char* op, const AxisPlan& plan, const Shape& shape) {
  GAZE_CHECK(plan.n > 0, op, "of no elements: shape ", shape);
  GAZE_CHECK(plan.n <= std::numeric_limits<std::int32_t>::max(), op, "too many elements: ", shape);
}

template <class T>
Tensor<T> extreme(const char* op, const Tensor<T>& input, const Shape& axes, bool greatest) {
  const auto plan = plan_axes(op, input.shape(), axes);
  check_some(op, plan, input.shape());
  return reduce_rows(input, plan, [&](const Tensor<T>& x) {
    const Index n = plan.n;
    const auto best = best_in_rows(x, greatest);
    Tensor<T> y({plan.rows});
    for (Index r = 0; r < plan.rows; ++r) y.data()[r] = x.data()[r * n + best.data()[r]];
    if (recorded(x))
      record(
          op, y,
          [n, best, to = x.node()](const auto& dy) {
            T* const dx = to->accumulator();
            for (Index r = 0; r < best.numel(); ++r) dx[r * n + best.data()[r]] += dy.data()[r];
          },
          x);
    return y;
  });
}

template <class T>
Indices<Cpu> arg_extreme(const char* op, const Tensor<T>& x, const Shape& axes, bool greatest) {
  refuse_gradient(op, x);
  const auto plan = plan_axes(op, x.shape(), axes);
  check_some(op, plan, x.shape());
  const auto best = best_in_rows(rows_of(x.detach(), plan), greatest);
  return best.view(0, plan.kept, contiguous_strides(plan.kept));
}

}  // namespace detail

/// The greatest element along some axes, which stay with size 1. A NaN wins. The gradient goes to
/// the first of equal elements.
template <class T>
Tensor<T> max(const Tensor<T>& x, const Shape& axes) {
  return detail::extreme("max", x, axes, true);
}
/// The greatest of all elements, shape [].
template <class T>
Tensor<T> max(const Tensor<T>& x) {
  return reshape(max(x, detail::all_axes(x.shape())), {});
}

/// The least element along some axes, as max() is the greatest.
template <class T>
Tensor<T> min(const Tensor<T>& x, const Shape& axes) {
  return detail::extreme("min", x, axes, false);
}
template <class T>
Tensor<T> min(const Tensor<T>& x) {
  return reshape(min(x, detail::all_axes(x.shape())), {});
}

/// Where along an axis, which stays with size 1, the greatest element is: the first of equals.
/// gather(x, axis, argmax(x, axis)) is max(x, {axis}). No derivative: throws where one is needed.
template <class T>
Indices<Cpu> argmax(const Tensor<T>& x, int axis) {
  return detail::arg_extreme("argmax", x, detail::one_axis(axis), true);
}

/// Where the least element is; as argmax().
template <class T>
Indices<Cpu> argmin(const Tensor<T>& x, int axis) {
  return detail::arg_extreme("argmin", x, detail::one_axis(axis), false);
}

namespace detail {

/// e^(x - top) per row, top being the row's maximum (0 where that is infinite), and the rows' sums:
/// what softmax and logsumexp are made of.
template <class T>
struct ShiftedExp {
  using K = Kernels<typename Tensor<T>::device_type>;

  Tensor<T> values;  // [R, n]
  std::vector<T> top;
  std::vector<double> total;

  explicit ShiftedExp(const Tensor<T>& x)
      : values(x.shape()), top(static_cast<std::size_t>(x.size(0))), total(top.size()) {
    const Index rows = x.size(0), n = x.size(1);
    for_each_row(rows, n, [&](Index r) {
      const T *const in = x.data() + r * n, best = n ? *std::max_element(in, in + n) : T(0);
      T* const out = values.data() + r * n;
      const T shift = std::isfinite(best) ? best : T(0);
      for (Index j = 0; j < n; ++j) out[j] = in[j] - shift;
      top[static_cast<std::size_t>(r)] = shift;
    });
    K::unary_forward(UnaryOp::exp, values.numel(), static_cast<const T*>(values.data()),
                     values.data());
    for_each_row(rows, n, [&](Index r) {
      double& sum = total[static_cast<std::size_t>(r)];
      for (Index j = r * n; j < (r + 1) * n; ++j) sum += static_cast<double>(values.data()[j]);
    });
  }
};

template <class T>
Tensor<T> logsumexp_rows(const Tensor<T>& x) {
  const Index rows = x.size(0), n = x.size(1);
  const ShiftedExp<T> e(x);
  Tensor<T> y({rows});
  for (Index r = 0; r < rows; ++r) {
    const auto i = static_cast<std::size_t>(r);
    y.data()[r] = e.top[i] + static_cast<T>(std::log(e.total[i]));
  }
  if (recorded(x))
    record(
        "logsumexp", y,
        [rows, n, x = Saved<T, Cpu>("logsumexp", x), to = x.node()](const auto& dy) {
          ShiftedExp<T> p(x.get());
          for_each_row(rows, n, [&](Index r) {
            const double total = p.total[static_cast<std::size_t>(r)];
            const T slope =
                total > 0 ? static_cast<T>(static_cast<double>(dy.data()[r]) / total) : T(0);
            for (Index j = r * n; j < (r + 1) * n; ++j) p.values.data()[j] *= slope;
          });
          to->take(std::move(p.values));
        },
        x);
  return y;
}

}  // namespace detail

/// log sum e^x along some axes, which stay with size 1, without overflow; -inf of no elements.
/// dx = dy softmax(x); a row of only -inf gets none.
template <class T>
Tensor<T> logsumexp(const Tensor<T>& x, const Shape& axes) {
  const auto plan = detail::plan_axes("logsumexp", x.shape(), axes);
  return detail::reduce_rows(x, plan,
                             [](const auto& rows) { return detail::logsumexp_rows(rows); });
}

}  // namespace gaze
