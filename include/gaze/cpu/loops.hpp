// SPDX-License-Identifier: MIT
// Parallel loops over elements and rows, and the choice between vector kernels and plain loops.
#pragma once
#include <algorithm>
#include <type_traits>

#include "gaze/core/index.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/cpu/simd/sets.hpp"

/// float runs on the kernels of the instruction set in use, any other type on `reference`.
#define GAZE_PICK(FUNCTION, ...)               \
  [&] {                                        \
    if constexpr (std::is_same_v<T, float>) {  \
      return GAZE_SIMD(FUNCTION, __VA_ARGS__); \
    } else {                                   \
      return reference::FUNCTION(__VA_ARGS__); \
    }                                          \
  }()

namespace gaze::cpu::detail {

// Elements per thread, at least: of arithmetic, and of exp, erf and the like.
inline constexpr Index element_grain = 32768, function_grain = element_grain / 4;

/// Rows per thread, at least, for rows of `work` elements.
inline Index row_grain(Index work) { return std::max<Index>(1, 16384 / std::max<Index>(1, work)); }

/// out[i] = f(i) for n elements.
template <class T, class Function>
void each_element(Index n, T* out, Function f) {
  parallel_for(n, function_grain, [&](Index i, Index end) {
    for (; i < end; ++i) out[i] = f(i);
  });
}

/// Calls f(row) for every row of n elements, in parallel; rows may not share results.
template <class Function>
void for_each_row(Index rows, Index n, Function f) {
  parallel_for(rows, row_grain(n), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) f(r);
  });
}

}  // namespace gaze::cpu::detail
