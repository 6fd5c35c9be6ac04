// SPDX-License-Identifier: MIT
// Kernels that multiply matrices, alone, in batches and with GELU, and the patches of images that
// turn a convolution into a product.
#pragma once
#include "gaze/core/bf16.hpp"
#include "gaze/core/index.hpp"
#include "gaze/kernels/patches.hpp"

namespace gaze {

/// One operand of a batch of matrix products: matrix i begins at data + places[i]; rows are
/// `stride` elements apart. `places` lies in host memory.
template <class T>
struct MatrixBatch {
  T* data;
  const Index* places;
  Index stride;
};

namespace args {

/// c [m,n] = start + op(a) [m,k] op(b) [k,n], row-major; start is c with `accumulate`, else bias
/// for every row if given, else 0. op(x) is x, or its transpose where x is stored transposed; lda,
/// ldb and ldc are the row strides of the matrices as stored. c may not overlap a, b or bias. bf16
/// operands are summed in float32.
template <class T>
struct Gemm {
  bool transpose_a, transpose_b;
  Index m, n, k;
  const T* a;
  Index lda;
  const T* b;
  Index ldb;
  GradOf<T>* c;
  Index ldc;
  bool accumulate = false;
  const GradOf<T>* bias = nullptr;  // [n]
};

/// c_i = op(a_i) op(b_i), or += with `accumulate`, for i < count, as in Gemm.
template <class T>
struct GemmBatched {
  bool transpose_a, transpose_b;
  Index m, n, k, count;
  MatrixBatch<const T> a, b;
  MatrixBatch<T> c;
  bool accumulate = false;
  bool c_repeats = false;  // several products may share a c_i
};

/// pre = x w^T + bias, y = gelu(pre).
template <class T>
struct LinearGeluForward {
  Index m, n, k;
  const T* x;     // [m,k]
  const T* w;     // [n,k]
  const T* bias;  // [n]
  T* pre;         // [m,n]
  T* y;           // [m,n]
};

/// dpre = (dy w) gelu'(pre), where w is the weight of the layer that follows.
template <class T>
struct LinearGeluBackward {
  Index m, n, k;
  const T* dy;   // [m,k]
  const T* w;    // [k,n]
  const T* pre;  // [m,n]
  T* dpre;       // [m,n]
};

/// The product of a LinearGelu kernel, for devices that compute product and GELU one after another;
/// that of the backward is dy w, written to dpre.
template <class T>
constexpr Gemm<T> product(const LinearGeluForward<T>& a) {
  return {.transpose_a = false,
          .transpose_b = true,
          .m = a.m,
          .n = a.n,
          .k = a.k,
          .a = a.x,
          .lda = a.k,
          .b = a.w,
          .ldb = a.k,
          .c = a.pre,
          .ldc = a.n,
          .bias = a.bias};
}
/// The product of linear_gelu_backward alone.
template <class T>
constexpr Gemm<T> product(const LinearGeluBackward<T>& a) {
  return {.transpose_a = false,
          .transpose_b = false,
          .m = a.m,
          .n = a.n,
          .k = a.k,
          .a = a.dy,
          .lda = a.k,
          .b = a.w,
          .ldb = a.n,
          .c = a.dpre,
          .ldc = a.n};
}

/// Product i of a batch.
template <class T>
constexpr Gemm<T> product(const GemmBatched<T>& a, Index i) {
  return {.transpose_a = a.transpose_a,
          .transpose_b = a.transpose_b,
          .m = a.m,
          .n = a.n,
          .k = a.k,
          .a = a.a.data + a.a.places[i],
          .lda = a.a.stride,
          .b = a.b.data + a.b.places[i],
          .ldb = a.b.stride,
          .c = a.c.data + a.c.places[i],
          .ldc = a.c.stride,
          .accumulate = a.accumulate};
}

}  // namespace args
}  // namespace gaze

// Also for operands of bf16.
// clang-format off
#define GAZE_PRODUCT_KERNELS(KERNEL, T)                                                            \
  KERNEL(void, gemm, (const args::Gemm<T>& a), (a))
// clang-format on

// clang-format off
#define GAZE_GEMM_KERNELS(KERNEL, T)                                                               \
  KERNEL(void, gemm_batched, (const args::GemmBatched<T>& a), (a))                                 \
  KERNEL(void, linear_gelu_forward, (const args::LinearGeluForward<T>& a), (a))                    \
  KERNEL(void, linear_gelu_backward, (const args::LinearGeluBackward<T>& a), (a))                  \
  KERNEL(void, unfold, (const PatchGrid& grid, const T* x, T* patches), (grid, x, patches))        \
  KERNEL(void, fold_add, (const PatchGrid& grid, const T* patches, T* x), (grid, patches, x))
// clang-format on
