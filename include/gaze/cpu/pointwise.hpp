// SPDX-License-Identifier: MIT
// Functions of one and two values, comparisons and choices on the CPU: plain loops over threads,
// any element type. What is faster as a vector kernel is in elementwise.hpp.
#pragma once
#include "gaze/core/parallel.hpp"
#include "gaze/kernels/pointwise.hpp"

namespace gaze::cpu {

namespace detail {

inline constexpr Index pointwise_grain = 8192;  // some 100 us of erf

/// out[i] = f(i) for n elements.
template <class T, class Function>
void each_element(Index n, T* out, Function f) {
  parallel_for(n, pointwise_grain, [&](Index i, Index end) {
    for (; i < end; ++i) out[i] = f(i);
  });
}

}  // namespace detail

/// y = op(x), elementwise; p is the exponent of pow.
template <class T>
void pointwise_forward(PointwiseOp op, Index n, T p, const T* x, T* y) {
  scalar::with_pointwise(
      op, p, [=](auto f) { detail::each_element(n, y, [=](Index i) { return f.value(x[i]); }); });
}

/// dx = dy op'(x), written; y is the forward's result.
template <class T>
void pointwise_backward(PointwiseOp op, Index n, T p, const T* x, const T* y, const T* dy, T* dx) {
  scalar::with_pointwise(op, p, [=](auto f) {
    detail::each_element(
        n, dx, [=](Index i) { return scalar::kept_zero(dy[i], dy[i] * f.slope(x[i], y[i])); });
  });
}

/// y = x^p, an exponent for each value.
template <class T>
void power_forward(Index n, const T* x, const T* p, T* y) {
  detail::each_element(n, y, [=](Index i) { return std::pow(x[i], p[i]); });
}

/// dy times the derivatives by x and by p, written; either may be null.
template <class T>
void power_backward(Index n, const T* x, const T* p, const T* dy, T* dx, T* dp) {
  if (dx)
    detail::each_element(n, dx,
                         [=](Index i) { return scalar::power_slope_base(x[i], p[i], dy[i]); });
  if (dp)
    detail::each_element(n, dp,
                         [=](Index i) { return scalar::power_slope_exponent(x[i], p[i], dy[i]); });
}

/// mask = 1 where a op b holds, 0 elsewhere.
template <class T>
void compare(CompareOp op, Index n, const T* a, const T* b, std::int32_t* mask) {
  scalar::with_comparison<T>(op, [=](auto holds) {
    detail::each_element(n, mask, [=](Index i) { return holds(a[i], b[i]) ? 1 : 0; });
  });
}

/// out = yes where the mask is not 0, no elsewhere; null stands for zeros.
template <class T>
void choose(Index n, const std::int32_t* mask, const T* yes, const T* no, T* out) {
  detail::each_element(n, out, [=](Index i) {
    const T* const from = mask[i] ? yes : no;
    return from ? from[i] : T(0);
  });
}

}  // namespace gaze::cpu
