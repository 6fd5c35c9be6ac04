// SPDX-License-Identifier: MIT
// Choosing, adding and sorting elements within the rows of x [R, n] on the CPU, any element type.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gaze/cpu/reduce_rows.hpp"
#include "gaze/kernels/pointwise.hpp"

namespace gaze::cpu {

/// y[r, j] = x[r, index[r, j]] for y and index [R, k]; 0 where the index is -1.
template <class T>
void gather_elements(Index rows, Index n, Index k, const T* x, const std::int32_t* index, T* y) {
  detail::for_each_row(rows, k, [=](Index r) {
    for (Index j = r * k; j < (r + 1) * k; ++j) y[j] = index[j] < 0 ? T(0) : x[r * n + index[j]];
  });
}

/// y[r, index[r, j]] += x[r, j] for x and index [R, k], in ascending j; -1 is skipped.
template <class T>
void scatter_add_elements(Index rows, Index n, Index k, const T* x, const std::int32_t* index,
                          T* y) {
  detail::for_each_row(rows, k, [=](Index r) {
    for (Index j = r * k; j < (r + 1) * k; ++j)
      if (index[j] >= 0) y[r * n + index[j]] += x[j];
  });
}

/// index [R, k] = where the first k elements of each row in order are. Equal elements keep their
/// order, and a NaN counts as greater than any number.
template <class T>
void order_rows(Index rows, Index n, Index k, bool descending, const T* x, std::int32_t* index) {
  detail::for_each_row(rows, 8 * n, [=](Index r) {
    const T* const row = x + r * n;
    std::vector<std::int32_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(),
                      [=](std::int32_t i, std::int32_t j) {
                        return scalar::sorts_before(row, i, j, descending);
                      });
    std::copy_n(order.begin(), k, index + r * k);
  });
}

}  // namespace gaze::cpu
