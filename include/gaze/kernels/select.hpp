// SPDX-License-Identifier: MIT
// Kernels that compare values and choose among them, for values of any type.
#pragma once
#include <cstdint>

#include "gaze/core/index.hpp"

namespace gaze {

/// Comparisons of two values. `undercuts` and `exceeds` are `less` and `greater` except that a NaN
/// beats any number: they decide whether minimum(b, a) or maximum(b, a) takes a.
enum class CompareOp {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  undercuts,
  exceeds
};

}  // namespace gaze

// clang-format off
#define GAZE_SELECT_KERNELS(KERNEL, T)                                                             \
  KERNEL(void, compare, (CompareOp op, Index n, const T* a, const T* b, std::int32_t* mask),       \
         (op, n, a, b, mask))                                                                      \
  KERNEL(void, choose, (Index n, const std::int32_t* mask, const T* yes, const T* no, T* y), (n,   \
         mask, yes, no, y))                                                                        \
  KERNEL(void, gather_elements, (Index rows, Index n, Index k, const T* x,                         \
         const std::int32_t* index, T* y), (rows, n, k, x, index, y))                              \
  KERNEL(void, scatter_add_elements, (Index rows, Index n, Index k, const T* x,                    \
         const std::int32_t* index, T* y), (rows, n, k, x, index, y))
// clang-format on
