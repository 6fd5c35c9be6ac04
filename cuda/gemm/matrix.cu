// SPDX-License-Identifier: MIT
// The matrix product: bf16 on tensor cores where rows must not depend on the batch; else float and
// bf16 through cuBLASLt where that is; the rest by the plain kernel.
#include "cuda/gemm/matrix.cuh"

#include "cuda/gemm/library_gemm.hpp"
#include "cuda/gemm/matrix.hpp"
#include "cuda/gemm/tensor_gemm.hpp"
#include "cuda/host/choice.hpp"
#include "gaze/core/arithmetic.hpp"
#include "gaze/core/bf16.hpp"

namespace gaze::cuda {

template <class U, class T>
void MatrixKernels::gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const U* a,
                         Index lda, const U* b, Index ldb, T* c, Index ldc, bool accumulate,
                         const T* bias) {
  count_arithmetic(2 * m * n * k);
  if (m <= 0 || n <= 0) return;
  if constexpr (std::is_same_v<U, bf16>)
    if (kernel_choice.fast && kernel_choice.invariant &&
        tensor_gemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc, accumulate, bias))
      return;
#ifndef GAZE_CUDA_EMULATED
  if constexpr (std::is_same_v<T, float>)
    if (library_gemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc, accumulate, bias))
      return;
#endif
  const Index rows = pieces(m, kTile);
  const dim3 blocks(grid_size("gemm", pieces(n, kTile)),
                    static_cast<unsigned>(rows < 65535 ? rows : 65535));
  launch({"gemm", blocks, dim3(kTileSide * kTileSide)}, gemm_kernel<U, T>, m, n, k,
         Operand<U>{a, lda, transpose_a}, Operand<U>{b, ldb, transpose_b}, c, ldc, accumulate,
         bias);
}

#define GAZE_INSTANTIATE(U, T)                                                                  \
  template void MatrixKernels::gemm(bool, bool, Index, Index, Index, const U*, Index, const U*, \
                                    Index, T*, Index, bool, const T*);
GAZE_INSTANTIATE(float, float)
GAZE_INSTANTIATE(double, double)
GAZE_INSTANTIATE(bf16, float)
#undef GAZE_INSTANTIATE

}  // namespace gaze::cuda
