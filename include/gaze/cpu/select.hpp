// SPDX-License-Identifier: MIT
// Comparing values and choosing among them on the CPU, any element type: plain loops over threads.
#pragma once
#include <cstdint>

#include "gaze/cpu/loops.hpp"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cpu {

/// mask = 1 where a op b holds, 0 elsewhere.
template <class T>
void compare(CompareOp op, Index n, const T* a, const T* b, std::int32_t* mask) {
  scalar::with_comparison<T>(op, [=](auto holds) {
    detail::each_element(n, mask, [=](Index i) { return holds(a[i], b[i]) ? 1 : 0; });
  });
}

/// y = yes where the mask is not 0, no elsewhere; null counts as zeros.
template <class T>
void choose(Index n, const std::int32_t* mask, const T* yes, const T* no, T* y) {
  detail::each_element(n, y, [=](Index i) {
    const T* const from = mask[i] ? yes : no;
    return from ? from[i] : T(0);
  });
}

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

}  // namespace gaze::cpu
