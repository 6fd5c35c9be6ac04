// SPDX-License-Identifier: MIT
// Formulas of single values, for every device. constexpr so that device code may call them,
// although exp and its kin are not.
#pragma once
#include <cmath>

#include "gaze/kernels/settings.hpp"

namespace gaze::scalar {

template <class T>
constexpr T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

/// `slope` is dy times a derivative. Where no gradient comes in, dy = 0, none goes on, even through
/// a derivative that is infinite or NaN: such places are those that where() did not choose.
template <class T>
constexpr T kept_zero(T dy, T slope) {
  return dy == 0 && slope != slope ? T(0) : slope;
}

/// Does `value`, later in a row, displace `best` as the row's greatest (or least) element? The
/// first of equals stays, and the first NaN.
template <class T>
constexpr bool displaces(T value, T best, bool greatest) {
  if (best != best) return false;
  return value != value || (greatest ? value > best : value < best);
}

// gelu(x) = x/2 (1 + tanh(k (x + 0.044715 x^3))), k = sqrt(2/pi); Hendrycks & Gimpel 2016.
inline constexpr double gelu_k = 0.79788456080286536, gelu_cubic = 0.044715;

template <class T>
constexpr T gelu_tanh(T x) {
  return std::tanh(T(gelu_k) * (x + T(gelu_cubic) * x * x * x));
}

template <class T>
constexpr T unary_value(UnaryOp op, T x) {
  switch (op) {
    case UnaryOp::exp:
      return std::exp(x);
    case UnaryOp::log:
      return std::log(x);
    case UnaryOp::sqrt:
      return std::sqrt(x);
    case UnaryOp::tanh:
      return std::tanh(x);
    case UnaryOp::sigmoid:
      return sigmoid(x);
    case UnaryOp::silu:
      return x * sigmoid(x);
    case UnaryOp::gelu:
      return x / 2 * (1 + gelu_tanh(x));
    case UnaryOp::relu:
      return x < 0 ? 0 : x;
    case UnaryOp::square:
      return x * x;
    case UnaryOp::neg:
      return -x;
  }
  return 0;
}

/// dy/dx, given x and y.
template <class T>
constexpr T unary_slope(UnaryOp op, T x, T y) {
  switch (op) {
    case UnaryOp::exp:
      return y;
    case UnaryOp::log:
      return 1 / x;
    case UnaryOp::sqrt:
      return 1 / (2 * y);
    case UnaryOp::tanh:
      return 1 - y * y;
    case UnaryOp::sigmoid:
      return y * (1 - y);
    case UnaryOp::silu:
      return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    case UnaryOp::gelu: {
      if (x < -20 || x > 20) return x > 0 ? 1 : 0;  // to rounding; x^3 must not overflow
      const T t = gelu_tanh(x), du = T(gelu_k) * (1 + 3 * T(gelu_cubic) * x * x);
      return (1 + t) / 2 + x / 2 * (1 - t * t) * du;
    }
    case UnaryOp::relu:
      return x > 0 ? 1 : 0;
    case UnaryOp::square:
      return 2 * x;
    case UnaryOp::neg:
      return -1;
  }
  return 0;
}

/// What op makes of a and b.
template <class T>
constexpr T broadcast_value(BroadcastOp op, T a, T b) {
  switch (op) {
    case BroadcastOp::add:
      return a + b;
    case BroadcastOp::sub:
      return a - b;
    case BroadcastOp::mul:
      return a * b;
    case BroadcastOp::div:
      return a / b;
    case BroadcastOp::minimum:
      return displaces(b, a, false) ? b : a;
    case BroadcastOp::maximum:
      return displaces(b, a, true) ? b : a;
    case BroadcastOp::kept_zero:
      return kept_zero(a, b);
  }
  return a;
}

}  // namespace gaze::scalar
