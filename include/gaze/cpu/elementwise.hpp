// SPDX-License-Identifier: MIT
// Elementwise kernels on the CPU: arithmetic, broadcasting, functions of one value, powers, SwiGLU.
//
// Arrays are contiguous, n elements; an output may be one of its inputs unless said otherwise.
// Every element is computed on its own, so bits never depend on threads. float runs on
// simd/elementwise.inl where that has the function, everything else on the formulas of scalar.hpp.
#pragma once
#include <algorithm>
#include <cmath>

#include "gaze/core/index.hpp"
#include "gaze/cpu/loops.hpp"
#include "gaze/cpu/strided.hpp"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cpu {

using BinaryOp = simd::generic::BinaryOp;  // add, sub, mul

namespace reference {

template <class T>
T binary_value(BinaryOp op, T a, T b) {
  switch (op) {
    case BinaryOp::add:
      return a + b;
    case BinaryOp::sub:
      return a - b;
    case BinaryOp::mul:
      return a * b;
  }
  return 0;
}

template <class T>
void binary(int op, Index n, const T* a, const T* b, T* out) {
  for (Index i = 0; i < n; ++i) out[i] = binary_value(static_cast<BinaryOp>(op), a[i], b[i]);
}

template <class T>
void unary_forward(UnaryOp op, T exponent, Index n, const T* x, T* y) {
  scalar::with_unary<T>(op, exponent, [=](auto f) {
    for (Index i = 0; i < n; ++i) y[i] = f.value(x[i]);
  });
}

template <class T>
void unary_backward(UnaryOp op, T exponent, Index n, const T* x, const T* y, const T* dy, T* dx,
                    bool accumulate) {
  scalar::with_unary<T>(op, exponent, [=](auto f) {
    for (Index i = 0; i < n; ++i) {
      const T d = scalar::kept_zero(dy[i], dy[i] * f.grad(x[i], y[i]));
      dx[i] = accumulate ? dx[i] + d : d;
    }
  });
}

template <class T>
void scale(Index n, T alpha, const T* x, T* y) {
  for (Index i = 0; i < n; ++i) y[i] = alpha * x[i];
}

template <class T>
void swiglu_forward(Index n, Index c, const T* gate_up, T* y) {
  for (Index r = 0; r < n; ++r, gate_up += 2 * c, y += c)
    for (Index j = 0; j < c; ++j) y[j] = gate_up[j] * scalar::sigmoid(gate_up[j]) * gate_up[c + j];
}

template <class T>
void swiglu_backward(Index n, Index c, const T* gate_up, const T* dy, T* dgate_up) {
  for (Index r = 0; r < n; ++r, gate_up += 2 * c, dy += c, dgate_up += 2 * c)
    for (Index j = 0; j < c; ++j) {
      const T gate = gate_up[j], up = gate_up[c + j];
      dgate_up[j] = dy[j] * up * scalar::Silu<T>{}.grad(gate, T(0));
      dgate_up[c + j] = dy[j] * gate * scalar::sigmoid(gate);
    }
}

}  // namespace reference

namespace detail {

template <class T>
void binary(BinaryOp op, Index n, const T* a, const T* b, T* out) {
  parallel_for(n, element_grain, [&](Index i, Index end) {
    GAZE_PICK(binary, static_cast<int>(op), end - i, a + i, b + i, out + i);
  });
}

/// Whether simd/elementwise.inl has the function: those before rsqrt.
template <class T>
constexpr bool is_vectorised(UnaryOp op) {
  return std::is_same_v<T, float> && op < UnaryOp::rsqrt;
}

}  // namespace detail

template <class T>
void add(Index n, const T* a, const T* b, T* y) {
  detail::binary(BinaryOp::add, n, a, b, y);
}
template <class T>
void sub(Index n, const T* a, const T* b, T* y) {
  detail::binary(BinaryOp::sub, n, a, b, y);
}
template <class T>
void mul(Index n, const T* a, const T* b, T* y) {
  detail::binary(BinaryOp::mul, n, a, b, y);
}

/// y = alpha x.
template <class T>
void scale(Index n, T alpha, const T* x, T* y) {
  parallel_for(n, detail::element_grain,
               [&](Index i, Index end) { GAZE_PICK(scale, end - i, alpha, x + i, y + i); });
}

template <class T>
void broadcast(const args::Broadcast<T>& a) {
  const Shape shape = detail::at_least_1d(a.shape, 1);
  const Shape sa = detail::at_least_1d(a.a_strides, 1);
  const Shape sb = detail::at_least_1d(a.b_strides, 1);
  const Index inner = shape.at(-1), ia = sa.at(-1), ib = sb.at(-1);
  if (shape.numel() == 0) return;
  parallel_for(shape.numel() / inner, 4096 / inner + 1, [&](Index begin, Index end) {
    detail::for_rows(shape, sa, sb, begin, end, [&](Index row, Index at, Index bt) {
      for (Index i = 0; i < inner; ++i)
        a.y[row * inner + i] = scalar::broadcast_value(a.op, a.a[at + i * ia], a.b[bt + i * ib]);
    });
  });
}

template <class T>
void unary_forward(const args::UnaryForward<T>& a) {
  parallel_for(a.n, detail::function_grain, [&](Index i, Index end) {
    if (!detail::is_vectorised<T>(a.op))
      reference::unary_forward(a.op, a.exponent, end - i, a.x + i, a.y + i);
    else if constexpr (std::is_same_v<T, float>)
      GAZE_SIMD(unary_forward, static_cast<int>(a.op), end - i, a.x + i, a.y + i);
  });
}

template <class T>
void unary_backward(const args::UnaryBackward<T>& a) {
  const T* const x = a.x ? a.x : a.y ? a.y : a.dy;  // unused where null, but still read
  const T* const y = a.y ? a.y : x;
  parallel_for(a.n, detail::function_grain, [&](Index i, Index end) {
    if (!detail::is_vectorised<T>(a.op))
      reference::unary_backward(a.op, a.exponent, end - i, x + i, y + i, a.dy + i, a.dx + i,
                                a.accumulate);
    else if constexpr (std::is_same_v<T, float>)
      GAZE_SIMD(unary_backward, static_cast<int>(a.op), end - i, x + i, y + i, a.dy + i, a.dx + i,
                a.accumulate);
  });
}

/// y = x^p, with an exponent for each value.
template <class T>
void power_forward(Index n, const T* x, const T* p, T* y) {
  detail::each_element(n, y, [=](Index i) { return std::pow(x[i], p[i]); });
}

/// Writes dy times the derivatives by x and by p; either may be null.
template <class T>
void power_backward(Index n, const T* x, const T* p, const T* dy, T* dx, T* dp) {
  if (dx)
    detail::each_element(n, dx,
                         [=](Index i) { return scalar::power_grad_base(x[i], p[i], dy[i]); });
  if (dp)
    detail::each_element(n, dp,
                         [=](Index i) { return scalar::power_grad_exponent(x[i], p[i], dy[i]); });
}

/// y [n, c] = silu(gate) up, where a row of gate_up [n, 2c] is gate | up. y may not be gate_up.
/// Shazeer 2020.
template <class T>
void swiglu_forward(Index n, Index c, const T* gate_up, T* y) {
  parallel_for(n, std::max<Index>(1, detail::function_grain / std::max<Index>(1, c)),
               [&](Index r, Index end) {
                 GAZE_PICK(swiglu_forward, end - r, c, gate_up + 2 * r * c, y + r * c);
               });
}

/// Writes dgate = dy up silu'(gate) and dup = dy silu(gate). dgate_up may be gate_up.
template <class T>
void swiglu_backward(Index n, Index c, const T* gate_up, const T* dy, T* dgate_up) {
  parallel_for(n, std::max<Index>(1, detail::function_grain / std::max<Index>(1, c)),
               [&](Index r, Index end) {
                 GAZE_PICK(swiglu_backward, end - r, c, gate_up + 2 * r * c, dy + r * c,
                           dgate_up + 2 * r * c);
               });
}

}  // namespace gaze::cpu
