// SPDX-License-Identifier: MIT
// Elementwise kernels, one thread per value. Thread i writes element i of each output and reads
// element i of each input (with strides, the element at strided_offset), so there are no barriers.
#pragma once
#include "cuda/device/loops.cuh"
#include "cuda/device/strides.cuh"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cuda {

template <class T>
struct Binary {
  BroadcastOp op;
  const T *a, *b;
  T* y;
  __device__ void operator()(Index i) const { y[i] = scalar::broadcast_value(op, a[i], b[i]); }
  void pointers(auto f) { f(a), f(b), f(y); }
};

template <class T>
struct BroadcastElement {
  BroadcastOp op;
  Dims dims, a_strides, b_strides;
  const T *a, *b;
  T* y;
  __device__ void operator()(Index i) const {
    y[i] = scalar::broadcast_value(op, a[strided_offset(dims, a_strides, i)],
                                   b[strided_offset(dims, b_strides, i)]);
  }
  void pointers(auto f) { f(a), f(b), f(y); }
};

/// y = alpha x.
template <class T>
struct Scale {
  T alpha;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = alpha * x[i]; }
  void pointers(auto f) { f(x), f(y); }
};

/// F is one of the formulas in kernels/scalar.hpp.
template <class T, class F>
struct UnaryValue {
  F formula;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = formula.value(x[i]); }
  void pointers(auto f) { f(x), f(y); }
};

/// dx = dy formula'(x), or += with `accumulate`.
template <class T, class F>
struct UnaryGrad {
  F formula;
  const T *x, *y, *dy;
  T* dx;
  bool accumulate;
  __device__ void operator()(Index i) const {
    const T d = scalar::kept_zero(dy[i], dy[i] * formula.grad(x[i], y[i]));
    dx[i] = accumulate ? dx[i] + d : d;
  }
  void pointers(auto f) { f(x), f(y), f(dy), f(dx); }
};

/// y = x^p, with an exponent for each value.
template <class T>
struct PowerValue {
  const T *x, *p;
  T* y;
  __device__ void operator()(Index i) const { y[i] = std::pow(x[i], p[i]); }
  void pointers(auto f) { f(x), f(p), f(y); }
};

template <class T>
struct PowerGrad {
  const T *x, *p, *dy;
  T *dx, *dp;  // either may be null
  __device__ void operator()(Index i) const {
    if (dx) dx[i] = scalar::power_grad_base(x[i], p[i], dy[i]);
    if (dp) dp[i] = scalar::power_grad_exponent(x[i], p[i], dy[i]);
  }
  void pointers(auto f) { f(x), f(p), f(dy), f(dx), f(dp); }
};

/// y = silu(gate) up: element i of y [N, C], from rows gate | up of gate_up [N, 2C].
template <class T>
struct SwigluValue {
  Index c;
  const T* gate_up;
  T* y;
  __device__ void operator()(Index i) const {
    const T* const at = gate_up + i / c * 2 * c + i % c;
    y[i] = at[0] * scalar::sigmoid(at[0]) * at[c];
  }
  void pointers(auto f) { f(gate_up), f(y); }
};

/// dgate = dy up silu'(gate), dup = dy silu(gate). Reads both of its values before writing them:
/// dgate_up may be gate_up.
template <class T>
struct SwigluGrad {
  Index c;
  const T *gate_up, *dy;
  T* dgate_up;
  __device__ void operator()(Index i) const {
    const Index at = i / c * 2 * c + i % c;
    const T gate = gate_up[at], up = gate_up[at + c];
    dgate_up[at] = dy[i] * up * scalar::Silu<T>().grad(gate, T(0));
    dgate_up[at + c] = dy[i] * gate * scalar::sigmoid(gate);
  }
  void pointers(auto f) { f(gate_up), f(dy), f(dgate_up); }
};

}  // namespace gaze::cuda
