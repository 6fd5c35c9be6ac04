// SPDX-License-Identifier: MIT
// sort and topk along one axis: the values, which are differentiable, and where they came from.
// Equal elements keep their order, and a NaN counts as greater than any number.
#pragma once
#include <limits>
#include <numeric>

#include "gaze/ops/gather.hpp"

namespace gaze {

/// values = gather(x, axis, indices).
template <class T>
struct Sorted {
  Tensor<T> values;
  Indices<Cpu> indices;
};

namespace detail {

/// The first k places of each row in order: [R, k].
template <class T>
Indices<Cpu> order_rows(const Tensor<T>& x, Index k, bool descending) {
  const Index rows = x.size(0), n = x.size(1);
  Indices<Cpu> out({rows, k});
  for_each_row(rows, 8 * n, [&](Index r) {
    const T* const row = x.data() + r * n;
    const auto below = [](T a, T b) { return a < b || (a == a && b != b); };
    const auto before = [&](std::int32_t i, std::int32_t j) {
      if (below(row[i], row[j])) return !descending;
      if (below(row[j], row[i])) return descending;
      return i < j;
    };
    std::vector<std::int32_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
    std::copy_n(order.begin(), k, out.data() + r * k);
  });
  return out;
}

template <class T>
Sorted<T> ordered(const char* op, const Tensor<T>& input, Index k, int axis, bool descending) {
  const auto plan = plan_axes(op, input.shape(), one_axis(axis));
  const Index rows = plan.rows, n = plan.n;
  GAZE_CHECK(k >= 0 && k <= n, op, k, " of ", n, " elements along axis ", axis, " of ",
             input.shape());
  GAZE_CHECK(n <= std::numeric_limits<std::int32_t>::max(), op,
             "too many elements: ", input.shape());
  const auto x = rows_of(input, plan);
  const auto index = order_rows(x, k, descending);
  Tensor<T> y({rows, k});
  gather_in_rows(rows, n, k, x.data(), index.data(), y.data());
  if (recorded(x))
    record(
        op, y,
        [rows, n, k, index = SavedIndices<Cpu>(op, index), to = x.node()](const auto& dy) {
          scatter_in_rows(rows, n, k, dy.data(), index.data(), to->accumulator());
        },
        x);
  return {from_rows(y, plan), from_rows(index, plan)};
}

}  // namespace detail

/// All elements along an axis in ascending (or descending) order; both results have x's shape.
/// dx[index] = dy.
template <class T>
Sorted<T> sort(const Tensor<T>& x, int axis, bool descending = false) {
  return detail::ordered("sort", x, x.size(axis), axis, descending);
}

/// The k greatest elements along an axis, greatest first; that axis has size k in both results.
template <class T>
Sorted<T> topk(const Tensor<T>& x, Index k, int axis) {
  return detail::ordered("topk", x, k, axis, true);
}

}  // namespace gaze
