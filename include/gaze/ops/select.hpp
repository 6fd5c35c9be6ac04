// SPDX-License-Identifier: MIT
// Comparisons and where(), which chooses by them; gather and scatter_add, which choose and add
// elements along one axis by index (for whole rows of a matrix: rows.hpp, which moves memory at
// once). Truth is a whole number, 1 or 0, so a mask is a tensor like any other: views of it work,
// and cast<float>() makes it a factor.
#pragma once
#include "gaze/kernels/select.hpp"
#include "gaze/ops/axes.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/indices.hpp"

namespace gaze {

/// 1 where a condition is true, 0 elsewhere; any other value counts as true.
template <class Device = Cpu>
using Mask = Indices<Device>;

namespace detail {
template <class T, class Device>
Mask<Device> compare(CompareOp op, const char* name, const Tensor<T, Device>& a,
                     const Tensor<T, Device>& b) {
  check_defined(name, a, b);
  refuse_gradient(name, a, b);
  const Shape shape = broadcast(a.shape(), b.shape(), name);
  const auto x = stretched(a, shape), y = stretched(b, shape);
  Mask<Device> mask(shape);
  Kernels<Device>::compare(op, mask.numel(), x.data(), y.data(), mask.data());
  return mask;
}
}  // namespace detail

// Comparisons broadcast. They have no derivative: they throw if an input needs one.
#define GAZE_COMPARISON(NAME, OP)                                             \
  template <class T, class Device>                                            \
  Mask<Device> NAME(const Tensor<T, Device>& a, const Tensor<T, Device>& b) { \
    return detail::compare(OP, #NAME, a, b);                                  \
  }
/// 1 where a = b, else 0.
GAZE_COMPARISON(equal, CompareOp::equal)
/// 1 where a != b (true if either is NaN), else 0.
GAZE_COMPARISON(not_equal, CompareOp::not_equal)
/// 1 where a < b, else 0.
GAZE_COMPARISON(less, CompareOp::less)
/// 1 where a <= b, else 0.
GAZE_COMPARISON(less_equal, CompareOp::less_equal)
/// 1 where a > b, else 0.
GAZE_COMPARISON(greater, CompareOp::greater)
/// 1 where a >= b, else 0.
GAZE_COMPARISON(greater_equal, CompareOp::greater_equal)
#undef GAZE_COMPARISON

namespace detail {
template <class T, class Device>
Tensor<T, Device> choose(const char* op, const Mask<Device>& mask, const Tensor<T, Device>& a,
                         const Tensor<T, Device>& b) {
  check_defined(op, mask, a, b);
  const Shape shape = broadcast(broadcast(mask.shape(), a.shape(), op), b.shape(), op);
  const auto m = stretched(mask, shape);
  const auto x = stretched(a, shape), z = stretched(b, shape);
  Tensor<T, Device> y(shape);
  Kernels<Device>::choose(y.numel(), m.data(), x.data(), z.data(), y.data());
  if (recorded(a, b))
    record(
        op, y,
        [m = SavedIndices<Device>(op, m), to_a = a.node(), to_b = b.node()](const auto& dy) {
          if (to_a) add_unbroadcast(*to_a, kept_where(m.get(), true, dy));
          if (to_b) add_unbroadcast(*to_b, kept_where(m.get(), false, dy));
        },
        a, b);
  return y;
}
}  // namespace detail

/// a where the mask is true, else b; all three broadcast; the gradient goes to the chosen one.
///
/// Values that were not chosen may be infinite or NaN, with such a derivative, and do not affect
/// it, as in where(greater(x, zero), sqrt(x), x), if they come from functions of single values,
/// whose gradient is 0 where dy is 0. Sums, matrix products, norms and softmax mix values: choose a
/// harmless input before them too, as in sum(f(where(mask, x, one))).
template <class T, class Device>
Tensor<T, Device> where(const Mask<Device>& mask, const Tensor<T, Device>& a,
                        const Tensor<T, Device>& b) {
  return detail::choose("where", mask, a, b);
}

/// x with `value` where the mask, which broadcasts to x, is true; the gradient is 0 there.
template <class T, class Device>
Tensor<T, Device> masked_fill(const Tensor<T, Device>& x, const Mask<Device>& mask,
                              std::type_identity_t<T> value) {
  detail::check_defined("masked_fill", x, mask);
  GAZE_CHECK(broadcast(mask.shape(), x.shape(), "masked_fill") == x.shape(), "masked_fill", "mask ",
             mask.shape(), " for x ", x.shape());
  return detail::choose("masked_fill", mask, Tensor<T, Device>::scalar(value), x);
}

namespace detail {

/// Both as rows along the axis: values [R, n], index [R, k].
struct IndexPlan {
  AxisPlan values, index;
};

inline IndexPlan plan_index(const char* op, const Shape& values, const Shape& index, int axis) {
  GAZE_CHECK(values.rank() == index.rank(), op, "x ", values, ", index ", index);
  const IndexPlan plan{plan_axes(op, values, axis), plan_axes(op, index, axis)};
  GAZE_CHECK(plan.values.kept == plan.index.kept, op, "x ", values, " and index ", index,
             " differ beside axis ", axis);
  return plan;
}

}  // namespace detail

/// y[.., j, ..] = x[.., index[.., j, ..], ..] along an axis, 0 where the index is -1; dx[index] +=
/// dy in ascending order.
///
/// The index has x's shape apart from its size along the axis; y has the index's shape.
template <class T, class Device>
Tensor<T, Device> gather(const Tensor<T, Device>& input, int axis,
                         const Indices<Device>& index_input) {
  using K = Kernels<Device>;
  detail::check_defined("gather", input, index_input);
  const auto plan = detail::plan_index("gather", input.shape(), index_input.shape(), axis);
  const auto x = detail::rows_of(input, plan.values);
  const Index rows = plan.values.rows, n = plan.values.n, k = plan.index.n;
  const auto index = detail::checked_indices("gather", detail::rows_of(index_input, plan.index), n);
  Tensor<T, Device> y({rows, k});
  K::gather_elements(rows, n, k, x.data(), index.data(), y.data());
  if (recorded(x))
    record(
        "gather", y,
        [rows, n, k, index = detail::SavedIndices<Device>("gather", index),
         to = x.node()](const auto& dy) {
          K::scatter_add_elements(rows, n, k, dy.data(), index.data(), to->accumulator());
        },
        x);
  return detail::from_rows(y, plan.index);
}

/// y[.., index[.., j, ..], ..] += x[.., j, ..] into zeros with `size` elements along the axis;
/// dx = dy[index].
///
/// x and index have the same shape; an index of -1 is skipped.
template <class T, class Device>
Tensor<T, Device> scatter_add(const Tensor<T, Device>& input, int axis,
                              const Indices<Device>& index_input, Index size) {
  using K = Kernels<Device>;
  detail::check_defined("scatter_add", input, index_input);
  GAZE_CHECK(input.shape() == index_input.shape() && size >= 0, "scatter_add", "x ", input.shape(),
             ", index ", index_input.shape(), ", size ", size);
  const auto plan = detail::plan_axes("scatter_add", input.shape(), axis);
  const auto x = detail::rows_of(input, plan);
  const auto index =
      detail::checked_indices("scatter_add", detail::rows_of(index_input, plan), size);
  const Index rows = plan.rows, k = plan.n;
  auto y = Tensor<T, Device>::zeros({rows, size});
  K::scatter_add_elements(rows, size, k, x.data(), index.data(), y.data());
  if (recorded(x))
    record(
        "scatter_add", y,
        [rows, size, k, index = detail::SavedIndices<Device>("scatter_add", index),
         to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({rows, k});
          K::gather_elements(rows, size, k, dy.data(), index.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return detail::from_rows(y, plan);
}

}  // namespace gaze
