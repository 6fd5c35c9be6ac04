// SPDX-License-Identifier: MIT
// Matrix products of raw operands, for operations that consist of them.
#pragma once
#include <type_traits>

#include "gaze/kernels/contract.hpp"

namespace gaze::detail {

/// A matrix as stored, with the distance between its rows; `transposed` uses its transpose.
template <class T>
struct Operand {
  const T* data;
  Index stride;
  bool transposed;

  Operand(const T* data, Index stride, bool transposed = false)
      : data(data), stride(stride), transposed(transposed) {}
};

/// c [m,n] = start + a [m,k] b [k,n]; start as in args::Gemm. The rows of c are `stride` elements
/// apart; 0: contiguous.
template <class Device, class T>
void multiply(Index m, Index n, Index k, const Operand<T>& a,
              const std::type_identity_t<Operand<T>>& b, GradOf<T>* c, bool accumulate,
              const GradOf<T>* bias = nullptr, Index stride = 0) {
  Kernels<Device>::gemm(args::Gemm<T>{.transpose_a = a.transposed,
                                      .transpose_b = b.transposed,
                                      .m = m,
                                      .n = n,
                                      .k = k,
                                      .a = a.data,
                                      .lda = a.stride,
                                      .b = b.data,
                                      .ldb = b.stride,
                                      .c = c,
                                      .ldc = stride > 0 ? stride : n,
                                      .accumulate = accumulate,
                                      .bias = bias});
}

}  // namespace gaze::detail
