// SPDX-License-Identifier: MIT
// Elementwise kernels on the CPU: arithmetic, activations with their derivatives, sums.
//
// Arrays are contiguous, n elements; an output may be one of its inputs unless said otherwise.
// Every element is computed on its own, and sums go over fixed pieces in ascending order, so bits
// never depend on threads. float runs on simd/elementwise.inl, double on the loops in `reference`.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include "gaze/core/index.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/cpu/simd/sets.hpp"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cpu {

using BinaryOp = simd::generic::BinaryOp;  // add, sub, mul, div

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
    case BinaryOp::div:
      return a / b;
  }
  return 0;
}

using scalar::sigmoid;
using scalar::unary_slope;
using scalar::unary_value;

template <class T>
void binary(int op, Index n, const T* a, const T* b, T* out) {
  for (Index i = 0; i < n; ++i) out[i] = binary_value(static_cast<BinaryOp>(op), a[i], b[i]);
}

template <class T>
void unary_forward(int op, Index n, const T* x, T* y) {
  for (Index i = 0; i < n; ++i) y[i] = unary_value(static_cast<UnaryOp>(op), x[i]);
}

template <class T>
void unary_backward(int op, Index n, const T* x, const T* y, const T* dy, T* dx, bool accumulate) {
  for (Index i = 0; i < n; ++i) {
    const T d = scalar::kept_zero(dy[i], dy[i] * unary_slope(static_cast<UnaryOp>(op), x[i], y[i]));
    dx[i] = accumulate ? dx[i] + d : d;
  }
}

template <class T>
void axpy(Index n, T alpha, const T* x, T* y) {
  for (Index i = 0; i < n; ++i) y[i] += alpha * x[i];
}

template <class T>
void scale(Index n, T alpha, const T* x, T* y) {
  for (Index i = 0; i < n; ++i) y[i] = alpha * x[i];
}

template <class T>
void swiglu_forward(Index n, Index c, const T* gate_up, T* y) {
  for (Index r = 0; r < n; ++r, gate_up += 2 * c, y += c)
    for (Index j = 0; j < c; ++j) y[j] = gate_up[j] * sigmoid(gate_up[j]) * gate_up[c + j];
}

template <class T>
void swiglu_backward(Index n, Index c, const T* gate_up, const T* dy, T* dgate_up) {
  for (Index r = 0; r < n; ++r, gate_up += 2 * c, dy += c, dgate_up += 2 * c)
    for (Index j = 0; j < c; ++j) {
      const T gate = gate_up[j], up = gate_up[c + j];
      dgate_up[j] = dy[j] * up * unary_slope(UnaryOp::silu, gate, T(0));
      dgate_up[c + j] = dy[j] * gate * sigmoid(gate);
    }
}

template <class T>
T sum_piece(Index n, const T* x) {
  T total = 0;
  for (Index i = 0; i < n; ++i) total += x[i];
  return total;
}

template <class T>
T sum_squares_piece(Index n, const T* x) {
  T total = 0;
  for (Index i = 0; i < n; ++i) total += x[i] * x[i];
  return total;
}

}  // namespace reference

/// float runs on the kernels of the instruction set in use, any other type on `reference`.
#define GAZE_PICK(FUNCTION, ...)               \
  [&] {                                        \
    if constexpr (std::is_same_v<T, float>) {  \
      return GAZE_SIMD(FUNCTION, __VA_ARGS__); \
    } else {                                   \
      return reference::FUNCTION(__VA_ARGS__); \
    }                                          \
  }()

namespace detail {

inline constexpr Index element_grain = 32768;  // elements worth one thread

/// Adds piece(begin, count) over fixed pieces of 4096 elements, in ascending order.
template <class Piece>
double sum_pieces(Index n, Piece&& piece) {
  constexpr Index size = 4096;
  thread_local std::vector<double> values;
  values.assign(static_cast<std::size_t>((n + size - 1) / size), 0.0);
  double* const first = values.data();  // this thread's vector, also inside the other threads
  const Index pieces = static_cast<Index>(values.size());
  parallel_for(pieces, element_grain / size, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p)
      first[p] = static_cast<double>(piece(p * size, std::min(size, n - p * size)));
  });
  double result = 0;
  for (Index p = 0; p < pieces; ++p) result += first[p];
  return result;
}

template <class T>
void binary(BinaryOp op, Index n, const T* a, const T* b, T* out) {
  parallel_for(n, element_grain, [&](Index i, Index end) {
    GAZE_PICK(binary, static_cast<int>(op), end - i, a + i, b + i, out + i);
  });
}

}  // namespace detail

template <class T>
void add(Index n, const T* a, const T* b, T* out) {
  detail::binary(BinaryOp::add, n, a, b, out);
}
template <class T>
void sub(Index n, const T* a, const T* b, T* out) {
  detail::binary(BinaryOp::sub, n, a, b, out);
}
template <class T>
void mul(Index n, const T* a, const T* b, T* out) {
  detail::binary(BinaryOp::mul, n, a, b, out);
}
template <class T>
void div(Index n, const T* a, const T* b, T* out) {
  detail::binary(BinaryOp::div, n, a, b, out);
}

/// y += alpha x.
template <class T>
void axpy(Index n, T alpha, const T* x, T* y) {
  parallel_for(n, detail::element_grain,
               [&](Index i, Index end) { GAZE_PICK(axpy, end - i, alpha, x + i, y + i); });
}

/// y = alpha x.
template <class T>
void scale(Index n, T alpha, const T* x, T* y) {
  parallel_for(n, detail::element_grain,
               [&](Index i, Index end) { GAZE_PICK(scale, end - i, alpha, x + i, y + i); });
}

template <class T>
void fill(Index n, T value, T* y) {
  parallel_for(n, detail::element_grain,
               [&](Index i, Index end) { std::fill(y + i, y + end, value); });
}

/// y = x; the two may not overlap.
template <class T>
void copy(Index n, const T* x, T* y) {
  parallel_for(n, detail::element_grain, [&](Index i, Index end) {
    std::memcpy(y + i, x + i, static_cast<std::size_t>(end - i) * sizeof(T));
  });
}

/// y = op(x).
template <class T>
void unary_forward(UnaryOp op, Index n, const T* x, T* y) {
  parallel_for(n, detail::element_grain / 4, [&](Index i, Index end) {
    GAZE_PICK(unary_forward, static_cast<int>(op), end - i, x + i, y + i);
  });
}

/// dx = dy op'(x), written or added to. exp, sqrt, tanh and sigmoid need y; log, silu, gelu, relu
/// and square need x; neg needs neither: what is not needed may be null.
template <class T>
void unary_backward(UnaryOp op, Index n, const T* x, const T* y, const T* dy, T* dx,
                    bool accumulate) {
  if (!x) x = y ? y : dy;
  if (!y) y = x;
  parallel_for(n, detail::element_grain / 4, [&](Index i, Index end) {
    GAZE_PICK(unary_backward, static_cast<int>(op), end - i, x + i, y + i, dy + i, dx + i,
              accumulate);
  });
}

/// y [N, C] = silu(gate) up, where a row of gate_up [N, 2C] is gate | up. y may not be gate_up.
/// Shazeer 2020.
template <class T>
void swiglu_forward(Index n, Index c, const T* gate_up, T* y) {
  parallel_for(n, std::max<Index>(1, detail::element_grain / 4 / std::max<Index>(1, c)),
               [&](Index r, Index end) {
                 GAZE_PICK(swiglu_forward, end - r, c, gate_up + 2 * r * c, y + r * c);
               });
}

/// dgate = dy up silu'(gate), dup = dy silu(gate); written. dgate_up may be gate_up.
template <class T>
void swiglu_backward(Index n, Index c, const T* gate_up, const T* dy, T* dgate_up) {
  parallel_for(n, std::max<Index>(1, detail::element_grain / 4 / std::max<Index>(1, c)),
               [&](Index r, Index end) {
                 GAZE_PICK(swiglu_backward, end - r, c, gate_up + 2 * r * c, dy + r * c,
                           dgate_up + 2 * r * c);
               });
}

/// The sum of all elements; pieces of 4096 in T, their sum in double.
template <class T>
double sum(Index n, const T* x) {
  return detail::sum_pieces(
      n, [&](Index i, Index count) { return GAZE_PICK(sum_piece, count, x + i); });
}

/// The sum of all squares, for norms; summed as `sum` does.
template <class T>
double sum_squares(Index n, const T* x) {
  return detail::sum_pieces(
      n, [&](Index i, Index count) { return GAZE_PICK(sum_squares_piece, count, x + i); });
}

#undef GAZE_PICK

}  // namespace gaze::cpu
