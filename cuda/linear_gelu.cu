// SPDX-License-Identifier: MIT
// Products with gelu: float through cuBLASLt, whose epilogues do bias, gelu and its derivative
// while a tile of the result is in registers; everything else as a product and gelu one after
// another, which are the oracle of the former. The bias's gradient stays a kernel of its own, whose
// sums have a fixed order; cuBLASLt does not say that its epilogue's have.
#include "cuda/linear_gelu.hpp"

#include <type_traits>

#include "cuda/elements.hpp"
#include "cuda/gemm/library_gemm.hpp"
#include "cuda/gemm/matrix.hpp"
#include "gaze/core/arithmetic.hpp"

namespace gaze::cuda {

template <class T>
void LinearGeluKernels::linear_gelu_forward(Index m, Index n, Index k, const T* x, const T* w,
                                            const T* bias, T* pre, T* y) {
#ifndef GAZE_CUDA_EMULATED
  if constexpr (std::is_same_v<T, float>)
    if (library_linear_gelu(m, n, k, x, w, bias, pre, y)) return count_arithmetic(2 * m * n * k);
#endif
  MatrixKernels::gemm(false, true, m, n, k, x, k, w, k, pre, n, false, bias);
  ElementKernels::unary_forward<T>(UnaryOp::gelu, m * n, pre, y);
}

template <class T>
void LinearGeluKernels::linear_gelu_backward(Index m, Index n, Index k, const T* dy, const T* w,
                                             const T* pre, T* dpre) {
#ifndef GAZE_CUDA_EMULATED
  if constexpr (std::is_same_v<T, float>)
    if (library_linear_gelu_backward(m, n, k, dy, w, pre, dpre))
      return count_arithmetic(2 * m * n * k);
#endif
  MatrixKernels::gemm<T>(false, false, m, n, k, dy, k, w, n, dpre, n, false);
  ElementKernels::unary_backward<T>(UnaryOp::gelu, m * n, pre, nullptr, dpre, dpre, false);
}

#define GAZE_INSTANTIATE(T)                                                                      \
  template void LinearGeluKernels::linear_gelu_forward(Index, Index, Index, const T*, const T*,  \
                                                       const T*, T*, T*);                        \
  template void LinearGeluKernels::linear_gelu_backward(Index, Index, Index, const T*, const T*, \
                                                        const T*, T*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
#undef GAZE_INSTANTIATE

}  // namespace gaze::cuda
