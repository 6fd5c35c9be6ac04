// SPDX-License-Identifier: MIT
// Kernels<Cuda>, values of any type: moving, converting, checking, comparing and choosing them, and
// functions without a vector kernel. What each function means stands at the CPU's function of its
// name in gaze/cpu/values.hpp and pointwise.hpp. Defined in values.cu.
#pragma once
#include <cstdint>

#include "gaze/core/shape.hpp"
#include "gaze/kernels/settings.hpp"

namespace gaze::cuda {

struct ValueKernels {
  template <class T, class U>
  static void cast(Index n, const T* x, U* y);
  /// What it finds is thrown when the host next waits (report.hpp).
  template <class T>
  static void check_values(Index n, const T* x, const ValueCheck& check, T* safe);
  template <class T>
  static void sum_to(Index n, const T* x, T* y);
  template <class T>
  static void fill_from(Index n, const T* value, T* y);
  template <class T>
  static void copy_to_strided(const Shape& shape, const T* x, T* y, const Shape& strides);
  template <class T>
  static void pointwise_forward(PointwiseOp op, Index n, T p, const T* x, T* y);
  template <class T>
  static void pointwise_backward(PointwiseOp op, Index n, T p, const T* x, const T* y, const T* dy,
                                 T* dx);
  template <class T>
  static void power_forward(Index n, const T* x, const T* p, T* y);
  template <class T>
  static void power_backward(Index n, const T* x, const T* p, const T* dy, T* dx, T* dp);
  template <class T>
  static void compare(CompareOp op, Index n, const T* a, const T* b, std::int32_t* mask);
  template <class T>
  static void choose(Index n, const std::int32_t* mask, const T* yes, const T* no, T* out);
};

}  // namespace gaze::cuda
