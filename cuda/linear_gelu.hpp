// SPDX-License-Identifier: MIT
// Kernels<Cuda>, products with gelu; see gaze/cpu/linear_gelu.hpp for what they mean. Defined in
// linear_gelu.cu.
#pragma once
#include "gaze/core/index.hpp"

namespace gaze::cuda {

struct LinearGeluKernels {
  template <class T>
  static void linear_gelu_forward(Index m, Index n, Index k, const T* x, const T* w, const T* bias,
                                  T* pre, T* y);
  template <class T>
  static void linear_gelu_backward(Index m, Index n, Index k, const T* dy, const T* w, const T* pre,
                                   T* dpre);
};

}  // namespace gaze::cuda
