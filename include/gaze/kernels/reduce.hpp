// SPDX-License-Identifier: MIT
// Sums, and reductions and scans along the rows of [R, n].
#pragma once
#include "gaze/core/index.hpp"

namespace gaze {

// Bounds on the length of a chain of float32 additions, whose error grows with its length: longer
// sums are cut into chains of this many values, which are added in double.
inline constexpr Index kChainedColumns = 4096;       // along a row
inline constexpr Index kChainedBlocks = 65536 / 64;  // over rows, in blocks of 64
inline constexpr Index kChainedValues = 1024;        // the gradient of a broadcast

}  // namespace gaze

// clang-format off
#define GAZE_REDUCE_KERNELS(KERNEL, T)                                                             \
  KERNEL(double, sum, (Index n, const T* x), (n, x))                                               \
  KERNEL(double, sum_squares, (Index n, const T* x), (n, x))                                       \
  KERNEL(void, sum_to, (Index n, const T* x, T* y), (n, x, y))                                     \
  KERNEL(void, variance_forward, (Index rows, Index n, T inverse, const T* x, T* y), (rows, n,     \
         inverse, x, y))                                                                           \
  KERNEL(void, variance_backward, (Index rows, Index n, T inverse, const T* x, const T* dy,        \
         T* dx), (rows, n, inverse, x, dy, dx))                                                    \
  KERNEL(void, logsumexp_forward, (Index rows, Index n, const T* x, T* y), (rows, n, x, y))        \
  KERNEL(void, logsumexp_backward, (Index rows, Index n, const T* x, const T* dy, T* dx), (rows,   \
         n, x, dy, dx))                                                                            \
  KERNEL(void, softmax_forward, (bool log, Index rows, Index n, const T* x, T* y), (log, rows,     \
         n, x, y))                                                                                 \
  KERNEL(void, softmax_backward, (bool log, Index rows, Index n, const T* y, const T* dy,          \
         T* dx), (log, rows, n, y, dy, dx))                                                        \
  KERNEL(void, cumsum, (Index rows, Index n, bool from_end, const T* x, T* y), (rows, n,           \
         from_end, x, y))
// clang-format on
