// SPDX-License-Identifier: MIT
// Kernels between contiguous arrays and strided views of the same shape, for values of any type.
#pragma once
#include "gaze/core/shape.hpp"

// clang-format off
#define GAZE_STRIDED_KERNELS(KERNEL, T)                                                            \
  KERNEL(void, copy_strided, (const Shape& shape, const T* x, const Shape& strides, T* y),         \
         (shape, x, strides, y))                                                                   \
  KERNEL(void, copy_to_strided, (const Shape& shape, const T* x, T* y, const Shape& strides),      \
         (shape, x, y, strides))                                                                   \
  KERNEL(void, add_strided, (const Shape& shape, const T* x, T* y, const Shape& strides),          \
         (shape, x, y, strides))                                                                   \
  KERNEL(void, copy_rows, (Index n, Index c, const T* x, Index x_stride, T* y, Index y_stride),    \
         (n, c, x, x_stride, y, y_stride))
// clang-format on
