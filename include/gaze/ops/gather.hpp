// SPDX-License-Identifier: MIT
// gather and scatter_add: choosing and adding elements along one axis by whole-number indices. For
// whole rows of a matrix there are gather_rows, scatter_add_rows and embedding (rows.hpp), which
// move memory at once.
#pragma once
#include "gaze/ops/axes.hpp"

namespace gaze {

namespace detail {

/// Both seen as rows along the axis: values [R, n], index [R, k].
struct IndexPlan {
  AxisPlan values, index;
};

inline IndexPlan plan_index(const char* op, const Shape& values, const Shape& index, int axis) {
  GAZE_CHECK(values.rank() == index.rank(), op, "x ", values, ", index ", index);
  const IndexPlan plan{plan_axes(op, values, one_axis(axis)), plan_axes(op, index, one_axis(axis))};
  GAZE_CHECK(plan.values.kept == plan.index.kept, op, "x ", values, " and index ", index,
             " differ beside axis ", axis);
  return plan;
}

}  // namespace detail

/// y[.., j, ..] = x[.., index[.., j, ..], ..] along an axis, 0 where the index is -1. The index has
/// x's shape but for any size along the axis, and y has the index's shape.
/// dx[index] += dy, in ascending order.
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

/// y[.., index[.., j, ..], ..] += x[.., j, ..] into zeros with `size` elements along the axis; an
/// index of -1 is skipped. x and index have one shape. dx = dy[index].
template <class T, class Device>
Tensor<T, Device> scatter_add(const Tensor<T, Device>& input, int axis,
                              const Indices<Device>& index_input, Index size) {
  using K = Kernels<Device>;
  detail::check_defined("scatter_add", input, index_input);
  GAZE_CHECK(input.shape() == index_input.shape() && size >= 0, "scatter_add", "x ", input.shape(),
             ", index ", index_input.shape(), ", size ", size);
  const auto plan = detail::plan_axes("scatter_add", input.shape(), detail::one_axis(axis));
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
