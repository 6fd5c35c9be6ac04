// SPDX-License-Identifier: MIT
// Kernels<Cuda>, the matrix product; see gaze/cpu/gemm.hpp for what it means. Defined in matrix.cu.
#pragma once
#include "gaze/core/index.hpp"

namespace gaze::cuda {

struct MatrixKernels {
  /// U is T, or bf16 where T is float.
  template <class U, class T>
  static void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const U* a,
                   Index lda, const U* b, Index ldb, T* c, Index ldc, bool accumulate,
                   const T* bias = nullptr);
};

}  // namespace gaze::cuda
