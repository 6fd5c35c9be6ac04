// SPDX-License-Identifier: MIT
// Matrix products through cuBLASLt (library_gemm.cu); the emulator has none of it.
#pragma once
#include "gaze/core/index.hpp"

namespace gaze::cuda {

/// Does the product as MatrixKernels::gemm says and returns true; or returns false, and nothing was
/// done: where kernel_choice (choice.hpp) is for other kernels, or for sizes that the library does
/// not take.
template <class U>  // float or bf16
bool library_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const U* a,
                  Index lda, const U* b, Index ldb, float* c, Index ldc, bool accumulate,
                  const float* bias);

/// LinearGeluKernels, with the activation as the product's epilogue; false and nothing done as
/// above.
bool library_linear_gelu(Index m, Index n, Index k, const float* x, const float* w,
                         const float* bias, float* pre, float* y);
bool library_linear_gelu_backward(Index m, Index n, Index k, const float* dy, const float* w,
                                  const float* pre, float* dpre);

}  // namespace gaze::cuda
