// SPDX-License-Identifier: MIT
// Kernels that order the elements of rows, for values of any type. A NaN counts as the greatest.
#pragma once
#include <cstdint>

#include "gaze/core/index.hpp"

// clang-format off
#define GAZE_SORT_KERNELS(KERNEL, T)                                                               \
  KERNEL(void, order_rows, (Index rows, Index n, Index k, bool descending, const T* x,             \
         std::int32_t* index), (rows, n, k, descending, x, index))                                 \
  KERNEL(void, best_in_rows, (Index rows, Index n, bool greatest, const T* x,                      \
         std::int32_t* best), (rows, n, greatest, x, best))
// clang-format on
