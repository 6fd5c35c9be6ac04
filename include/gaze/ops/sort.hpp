// SPDX-License-Identifier: MIT
// sort and topk along one axis: the values, which are differentiable, and their original indices.
// Equal elements keep their order, and a NaN counts as greater than any number.
#pragma once
#include <limits>

#include "gaze/ops/axes.hpp"

namespace gaze {

/// values = gather(x, axis, indices).
template <class T, class Device>
struct Sorted {
  Tensor<T, Device> values;
  Indices<Device> indices;
};

namespace detail {

template <class T, class Device>
Sorted<T, Device> ordered(const char* op, const Tensor<T, Device>& input, Index k, int axis,
                          bool descending) {
  using K = Kernels<Device>;
  check_defined(op, input);
  const auto plan = plan_axes(op, input.shape(), axis);
  const Index rows = plan.rows, n = plan.n;
  GAZE_CHECK(k >= 0 && k <= n, op, k, " of ", n, " elements along axis ", axis, " of ",
             input.shape());
  GAZE_CHECK(n <= std::numeric_limits<std::int32_t>::max(), op,
             "too many elements: ", input.shape());
  const auto x = rows_of(input, plan);
  Indices<Device> index({rows, k});
  K::order_rows(rows, n, k, descending, x.data(), index.data());
  Tensor<T, Device> y({rows, k});
  K::gather_elements(rows, n, k, x.data(), index.data(), y.data());
  if (recorded(x))
    record(
        op, y,
        [rows, n, k, index = SavedIndices<Device>(op, index), to = x.node()](const auto& dy) {
          K::scatter_add_elements(rows, n, k, dy.data(), index.data(), to->accumulator());
        },
        x);
  return {from_rows(y, plan), from_rows(index, plan)};
}

}  // namespace detail

/// All elements along an axis in ascending (or descending) order, and their indices; dx[index] =
/// dy.
///
/// Both results have x's shape.
template <class T, class Device>
Sorted<T, Device> sort(const Tensor<T, Device>& x, int axis, bool descending = false) {
  detail::check_defined("sort", x);
  return detail::ordered("sort", x, x.size(axis), axis, descending);
}

/// The k greatest elements along an axis, greatest first, and their indices; dx[index] = dy.
///
/// The axis has size k in both results.
template <class T, class Device>
Sorted<T, Device> topk(const Tensor<T, Device>& x, Index k, int axis) {
  return detail::ordered("topk", x, k, axis, true);
}

}  // namespace gaze
