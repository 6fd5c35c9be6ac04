// SPDX-License-Identifier: MIT
// A product with gelu behind it, and the product that gelu's derivative follows: the halves of an
// MLP that a device may fuse. gelu is the tanh form.
#pragma once
#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/gemm.hpp"

namespace gaze::cpu {

/// pre [m,n] = x w^T + bias, y [m,n] = gelu(pre): x [m,k], w [n,k], bias [n].
template <class T>
void linear_gelu_forward(Index m, Index n, Index k, const T* x, const T* w, const T* bias, T* pre,
                         T* y) {
  gemm(false, true, m, n, k, x, k, w, k, pre, n, false, bias);
  unary_forward(UnaryOp::gelu, m * n, static_cast<const T*>(pre), y);
}

/// dpre [m,n] = (dy w) gelu'(pre): dy [m,k], w [k,n], the weight of the layer that follows.
template <class T>
void linear_gelu_backward(Index m, Index n, Index k, const T* dy, const T* w, const T* pre,
                          T* dpre) {
  const T *const none = nullptr, *const dgelu = dpre;
  gemm(false, false, m, n, k, dy, k, w, n, dpre, n, false, none);
  unary_backward(UnaryOp::gelu, m * n, pre, none, dgelu, dpre, false);
}

}  // namespace gaze::cpu
