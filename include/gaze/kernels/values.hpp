// SPDX-License-Identifier: MIT
// Kernels that fill, move, convert and check values of any type, whole numbers included.
#pragma once
#include <cstdint>

#include "gaze/core/bf16.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

/// Exclusive bounds on values, and the function that throws the error of operation `op` when
/// element `at` lies outside them. `op` must have static lifetime.
struct ValueCheck {
  const char* op;
  double low, high;
  void (*fail)(const ValueCheck& check, Index at, double value);
};

}  // namespace gaze

// clang-format off
#define GAZE_VALUE_KERNELS(KERNEL, T)                                                              \
  KERNEL(void, fill, (Index n, T value, T* y), (n, value, y))                                      \
  KERNEL(void, fill_from, (Index n, const T* value, T* y), (n, value, y))                          \
  KERNEL(void, copy, (Index n, const T* x, T* y), (n, x, y))                                       \
  KERNEL(void, axpy, (Index n, T alpha, const T* x, T* y), (n, alpha, x, y))                       \
  KERNEL(void, check_values, (Index n, const T* x, const ValueCheck& check, T* safe), (n, x,       \
         check, safe))                                                                             \
  KERNEL(void, cast, (Index n, const T* x, float* y), (n, x, y))                                   \
  KERNEL(void, cast, (Index n, const T* x, double* y), (n, x, y))                                  \
  KERNEL(void, cast, (Index n, const T* x, std::int32_t* y), (n, x, y))
// clang-format on

// Float only: rounds to the nearest bf16, ties to even.
// clang-format off
#define GAZE_ROUNDING_KERNELS(KERNEL, T)                                                           \
  KERNEL(void, cast, (Index n, const T* x, bf16* y), (n, x, y))
// clang-format on
