// SPDX-License-Identifier: MIT
// Chooses and launches the matrix products: bf16 on tensor cores where rows must not depend on the
// batch; otherwise float and bf16 through cuBLASLt where it is available; the plain kernel for the
// rest. Also products with GELU, and the patches of images.
#include "cuda/gemm/gemm.cuh"

#include "cuda/gemm/library_gemm.hpp"
#include "cuda/gemm/patches.cuh"
#include "cuda/gemm/tensor_gemm.hpp"
#include "cuda/kernels.hpp"
#include "gaze/core/arithmetic.hpp"

namespace gaze::cuda {

template <class T>
void gemm(const args::Gemm<T>& a) {
  count_arithmetic(2 * a.m * a.n * a.k);
  if (a.m <= 0 || a.n <= 0) return;
  if constexpr (std::is_same_v<T, bf16>)
    if (kernel_choice.fast && kernel_choice.invariant && tensor_gemm(a)) return;
#ifndef GAZE_CUDA_EMULATED
  if constexpr (!std::is_same_v<T, double>)
    if (library_gemm(a)) return;
#endif
  const Index rows = pieces(a.m, kTile);
  const dim3 blocks(grid_size("gemm", pieces(a.n, kTile)),
                    static_cast<unsigned>(rows < 65535 ? rows : 65535));
  launch({"gemm", blocks, dim3(kTileSide * kTileSide)}, gemm_kernel<T, GradOf<T>>, a.m, a.n, a.k,
         Operand<T>{a.a, a.lda, a.transpose_a}, Operand<T>{a.b, a.ldb, a.transpose_b}, a.c, a.ldc,
         a.accumulate, a.bias);
}

/// One product after another in the stream's order, so products may share a result.
template <class T>
void gemm_batched(const args::GemmBatched<T>& a) {
  for (Index i = 0; i < a.count; ++i) gemm(args::product(a, i));
}

// Products with GELU: float through cuBLASLt, whose epilogues compute bias, GELU and its derivative
// while a tile of the result is in registers. Otherwise a product and GELU one after another, the
// oracle of the former. The gradient of the bias is a kernel of its own, whose sums have a fixed
// order; cuBLASLt does not document the order in its epilogue.

template <class T>
void linear_gelu_forward(const args::LinearGeluForward<T>& a) {
#ifndef GAZE_CUDA_EMULATED
  if constexpr (std::is_same_v<T, float>)
    if (library_linear_gelu(a)) return count_arithmetic(2 * a.m * a.n * a.k);
#endif
  gemm(args::product(a));
  unary_forward(args::UnaryForward<T>{.op = UnaryOp::gelu, .n = a.m * a.n, .x = a.pre, .y = a.y});
}

template <class T>
void linear_gelu_backward(const args::LinearGeluBackward<T>& a) {
#ifndef GAZE_CUDA_EMULATED
  if constexpr (std::is_same_v<T, float>)
    if (library_linear_gelu_backward(a)) return count_arithmetic(2 * a.m * a.n * a.k);
#endif
  gemm(args::product(a));
  unary_backward(args::UnaryBackward<T>{
      .op = UnaryOp::gelu, .n = a.m * a.n, .x = a.pre, .y = nullptr, .dy = a.dpre, .dx = a.dpre});
}

template <class T>
void unfold(const PatchGrid& grid, const T* x, T* patches) {
  for_each("unfold", grid.images * grid.count() * grid.patch(), Unfold<T>{grid, x, patches});
}
template <class T>
void fold_add(const PatchGrid& grid, const T* patches, T* x) {
  for_each("fold_add", grid.images * grid.c * grid.height * grid.width,
           FoldAdd<T>{grid, patches, x});
}

GAZE_PRODUCT_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_PRODUCT_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_PRODUCT_KERNELS(GAZE_INSTANTIATE_KERNEL, bf16)
GAZE_GEMM_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_GEMM_KERNELS(GAZE_INSTANTIATE_KERNEL, double)

}  // namespace gaze::cuda
