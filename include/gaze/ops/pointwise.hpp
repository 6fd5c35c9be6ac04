// SPDX-License-Identifier: MIT
// Functions of single values that have no vector kernel of their own: rsqrt, abs, erf, pow and the
// exact GELU, each with its derivative beside it. On the CPU, in plain loops over threads.
#pragma once
#include <cmath>
#include <type_traits>

#include "gaze/core/parallel.hpp"
#include "gaze/ops/elementwise.hpp"

namespace gaze {

namespace detail {

inline constexpr Index pointwise_grain = 8192;  // some 100 us of erf

/// y = value(x), dx = dy slope(x, y), element by element.
template <class T, class Value, class Slope>
Tensor<T> pointwise(const char* op, const Tensor<T>& input, Value value, Slope slope) {
  using S = Saved<T, Cpu>;
  const auto x = contiguous(input);
  Tensor<T> y(x.shape());
  parallel_for(x.numel(), pointwise_grain, [&](Index i, Index end) {
    for (; i < end; ++i) y.data()[i] = value(x.data()[i]);
  });
  if (recorded(x))
    record(
        op, y,
        [slope, x = S(op, x), y = S(op, y), to = x.node()](const auto& dy) {
          const T *const in = x.data(), *const out = y.data();
          Tensor<T> dx(dy.shape());
          parallel_for(dx.numel(), pointwise_grain, [&](Index i, Index end) {
            for (; i < end; ++i) dx.data()[i] = dy.data()[i] * slope(in[i], out[i]);
          });
          to->take(std::move(dx));
        },
        x);
  return y;
}

/// The values of x stretched to a shape, contiguous and outside the graph.
template <class T, class Device>
Tensor<T, Device> stretched(const Tensor<T, Device>& x, const Shape& shape) {
  const auto plain = x.detach();
  return contiguous(plain.shape() == shape ? plain : expand(plain, shape));
}

}  // namespace detail

/// 1 / sqrt(x); dx = -dy y^3 / 2.
template <class T>
Tensor<T> rsqrt(const Tensor<T>& x) {
  return detail::pointwise(
      "rsqrt", x, [](T v) { return 1 / std::sqrt(v); }, [](T, T y) { return T(-0.5) * y * y * y; });
}

/// |x|; the derivative at 0 is 0.
template <class T>
Tensor<T> abs(const Tensor<T>& x) {
  return detail::pointwise(
      "abs", x, [](T v) { return std::abs(v); },
      [](T v, T) { return static_cast<T>((v > 0) - (v < 0)); });
}

/// The error function 2/sqrt(pi) integral of e^(-t^2) from 0 to x; dx = dy 2/sqrt(pi) e^(-x^2).
template <class T>
Tensor<T> erf(const Tensor<T>& x) {
  return detail::pointwise(
      "erf", x, [](T v) { return std::erf(v); },
      [](T v, T) { return T(1.1283791670955126) * std::exp(-v * v); });
}

/// x Phi(x), Phi being the normal distribution function (Hendrycks and Gimpel 2016), through erf;
/// dx = dy (Phi(x) + x phi(x)).
template <class T>
Tensor<T> gelu_exact(const Tensor<T>& x) {
  constexpr T root_half = T(0.70710678118654752), density = T(0.39894228040143268);
  const auto distribution = [](T v) { return (1 + std::erf(v * root_half)) / 2; };
  return detail::pointwise(
      "gelu_exact", x, [=](T v) { return v * distribution(v); },
      [=](T v, T) { return distribution(v) + v * density * std::exp(-v * v / 2); });
}

/// The tanh form of GELU, by its full name; models call it gelu().
template <class T, class Device>
Tensor<T, Device> gelu_tanh(const Tensor<T, Device>& x) {
  return gelu(x);
}

/// x^p for one exponent; dx = dy p x^(p-1), 0 for p = 0.
template <class T>
Tensor<T> pow(const Tensor<T>& x, std::type_identity_t<T> p) {
  return detail::pointwise(
      "pow", x, [p](T v) { return std::pow(v, p); },
      [p](T v, T) { return p == 0 ? T(0) : p * std::pow(v, p - 1); });
}

/// x^p with broadcasting. dx = dy p x^(p-1); dp = dy x^p log x, 0 where x = 0 and p >= 0.
template <class T>
Tensor<T> pow(const Tensor<T>& x, const Tensor<T>& p) {
  using S = Saved<T, Cpu>;
  const Shape shape = broadcast(x.shape(), p.shape(), "pow");
  const auto zip = [shape](const Tensor<T>& a, const Tensor<T>& b, auto f) {
    const auto u = detail::stretched(a, shape), v = detail::stretched(b, shape);
    Tensor<T> out(shape);
    parallel_for(out.numel(), detail::pointwise_grain, [&](Index i, Index end) {
      for (; i < end; ++i) out.data()[i] = f(u.data()[i], v.data()[i], i);
    });
    return out;
  };
  auto y = zip(x, p, [](T a, T b, Index) { return std::pow(a, b); });
  if (recorded(x, p))
    record(
        "pow", y,
        [zip, x = S("pow", x), p = S("pow", p), to_x = x.node(), to_p = p.node()](const auto& dy) {
          const T* const g = dy.data();
          if (to_x)
            detail::add_unbroadcast(*to_x, zip(x.get(), p.get(), [g](T a, T b, Index i) {
              return b == 0 ? T(0) : g[i] * b * std::pow(a, b - 1);
            }));
          if (to_p)
            detail::add_unbroadcast(*to_p, zip(x.get(), p.get(), [g](T a, T b, Index i) {
              return a == 0 && b >= 0 ? T(0) : g[i] * std::pow(a, b) * std::log(a);
            }));
        },
        x, p);
  return y;
}

}  // namespace gaze
