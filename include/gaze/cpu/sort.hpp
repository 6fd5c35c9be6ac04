// SPDX-License-Identifier: MIT
// The order of the elements within the rows of x [R, n] on the CPU, any element type.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gaze/cpu/loops.hpp"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cpu {

/// best[r] = the place of row r's greatest (or least) element: the first of equals, or the first
/// NaN. n is at least 1.
template <class T>
void best_in_rows(Index rows, Index n, bool greatest, const T* x, std::int32_t* best) {
  detail::for_each_row(rows, n, [=](Index r) {
    const T* const row = x + r * n;
    Index at = 0;
    for (Index j = 1; j < n && row[at] == row[at]; ++j)
      if (scalar::displaces(row[j], row[at], greatest)) at = j;
    best[r] = static_cast<std::int32_t>(at);
  });
}

/// index [R, k] = the places of the first k elements of each row in sorted order. Equal elements
/// keep their order, and a NaN counts as greater than any number.
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
