// SPDX-License-Identifier: MIT
// Elementwise kernels: arithmetic with and without broadcasting, functions of one value (formulas
// in scalar.hpp), powers and SwiGLU.
#pragma once
#include "gaze/core/index.hpp"
#include "gaze/core/shape.hpp"

namespace gaze {

/// Functions of one value; gelu is the tanh form, pow takes one exponent for all values.
enum class UnaryOp : int {
  exp,
  log,
  sqrt,
  tanh,
  sigmoid,
  silu,
  gelu,
  relu,
  square,
  neg,
  rsqrt,
  abs,
  erf,
  gelu_exact,
  pow
};

/// Functions of two values that broadcast; kept_zero (scalar.hpp) is for derivatives.
enum class BroadcastOp { add, sub, mul, div, minimum, maximum, kept_zero };

namespace args {

/// y [n] = op(x). y may be x.
template <class T>
struct UnaryForward {
  UnaryOp op;
  Index n;
  const T* x;
  T* y;
  T exponent = T(0);  // of pow
};

/// dx [n] = dy op'(x), or += with `accumulate`; y is the forward's result. exp, sqrt, tanh, sigmoid
/// and rsqrt read y and no x; neg reads neither; the others read x and no y. What is not read may
/// be null. dx may be dy.
template <class T>
struct UnaryBackward {
  UnaryOp op;
  Index n;
  const T* x;
  const T* y;
  const T* dy;
  T* dx;
  T exponent = T(0);
  bool accumulate = false;
};

/// y (contiguous, of `shape`) = op(a, b), each read with its own strides, 0 along stretched axes.
template <class T>
struct Broadcast {
  BroadcastOp op;
  Shape shape;
  const T* a;
  Shape a_strides;
  const T* b;
  Shape b_strides;
  T* y;
};

}  // namespace args
}  // namespace gaze

// clang-format off
#define GAZE_ELEMENTWISE_KERNELS(KERNEL, T)                                                        \
  KERNEL(void, add, (Index n, const T* a, const T* b, T* y), (n, a, b, y))                         \
  KERNEL(void, sub, (Index n, const T* a, const T* b, T* y), (n, a, b, y))                         \
  KERNEL(void, mul, (Index n, const T* a, const T* b, T* y), (n, a, b, y))                         \
  KERNEL(void, scale, (Index n, T alpha, const T* x, T* y), (n, alpha, x, y))                      \
  KERNEL(void, broadcast, (const args::Broadcast<T>& a), (a))                                      \
  KERNEL(void, unary_forward, (const args::UnaryForward<T>& a), (a))                               \
  KERNEL(void, unary_backward, (const args::UnaryBackward<T>& a), (a))                             \
  KERNEL(void, power_forward, (Index n, const T* x, const T* p, T* y), (n, x, p, y))               \
  KERNEL(void, power_backward, (Index n, const T* x, const T* p, const T* dy, T* dx, T* dp), (n,   \
         x, p, dy, dx, dp))                                                                        \
  KERNEL(void, swiglu_forward, (Index n, Index c, const T* gate_up, T* y), (n, c, gate_up, y))     \
  KERNEL(void, swiglu_backward, (Index n, Index c, const T* gate_up, const T* dy, T* dgate_up),    \
         (n, c, gate_up, dy, dgate_up))
// clang-format on
