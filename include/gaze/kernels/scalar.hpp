// SPDX-License-Identifier: MIT
// Formulas of single values for every device: functions of one value, each beside its derivative,
// broadcast operations, comparisons and the order of sorting. constexpr so that device code may
// call them, although std::exp and its kin are not.
#pragma once
#include <cmath>
#include <functional>
#include <limits>

#include "gaze/kernels/elementwise.hpp"
#include "gaze/kernels/select.hpp"

namespace gaze::scalar {

template <class T>
constexpr T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

/// `grad` is dy times a derivative. Returns 0 where dy is 0 and the derivative is infinite or NaN:
/// such are the elements that where() did not choose.
template <class T>
constexpr T kept_zero(T dy, T grad) {
  return dy == 0 && grad != grad ? T(0) : grad;
}

/// Whether `value`, later in a row, replaces `best` as the row's greatest (or least) element. The
/// first of equal elements stays, and so does the first NaN.
template <class T>
constexpr bool displaces(T value, T best, bool greatest) {
  if (best != best) return false;
  return value != value || (greatest ? value > best : value < best);
}

// ---- functions of one value: y = value(x), dy/dx = grad(x, y) -----------------------------------

template <class T>
struct Exp {
  constexpr T value(T x) const { return std::exp(x); }
  constexpr T grad(T, T y) const { return y; }
};
template <class T>
struct Log {
  constexpr T value(T x) const { return std::log(x); }
  constexpr T grad(T x, T) const { return 1 / x; }
};
template <class T>
struct Sqrt {
  constexpr T value(T x) const { return std::sqrt(x); }
  constexpr T grad(T, T y) const { return 1 / (2 * y); }
};
template <class T>
struct Tanh {
  constexpr T value(T x) const { return std::tanh(x); }
  constexpr T grad(T, T y) const { return 1 - y * y; }
};
template <class T>
struct Sigmoid {
  constexpr T value(T x) const { return sigmoid(x); }
  constexpr T grad(T, T y) const { return y * (1 - y); }
};
template <class T>
struct Silu {
  constexpr T value(T x) const { return x * sigmoid(x); }
  constexpr T grad(T x, T) const { return sigmoid(x) * (1 + x * (1 - sigmoid(x))); }
};

inline constexpr double gelu_k = 0.79788456080286536, gelu_cubic = 0.044715;

/// x/2 (1 + tanh(k (x + 0.044715 x^3))), k = sqrt(2/pi); Hendrycks & Gimpel 2016.
template <class T>
struct Gelu {
  constexpr T inner(T x) const { return std::tanh(T(gelu_k) * (x + T(gelu_cubic) * x * x * x)); }
  constexpr T value(T x) const { return x / 2 * (1 + inner(x)); }
  constexpr T grad(T x, T) const {
    if (x < -20 || x > 20) return x > 0 ? 1 : 0;  // to rounding; x^3 must not overflow
    const T t = inner(x), du = T(gelu_k) * (1 + 3 * T(gelu_cubic) * x * x);
    return (1 + t) / 2 + x / 2 * (1 - t * t) * du;
  }
};

/// max(x, 0); the derivative at 0 is 0.
template <class T>
struct Relu {
  constexpr T value(T x) const { return x < 0 ? 0 : x; }
  constexpr T grad(T x, T) const { return x > 0 ? 1 : 0; }
};
template <class T>
struct Square {
  constexpr T value(T x) const { return x * x; }
  constexpr T grad(T x, T) const { return 2 * x; }
};
template <class T>
struct Neg {
  constexpr T value(T x) const { return -x; }
  constexpr T grad(T, T) const { return -1; }
};

/// 1 / sqrt(x).
template <class T>
struct Rsqrt {
  constexpr T value(T x) const { return 1 / std::sqrt(x); }
  constexpr T grad(T, T y) const { return T(-0.5) * y * y * y; }
};

/// |x|; the derivative at 0 is 0.
template <class T>
struct Abs {
  constexpr T value(T x) const { return std::abs(x); }
  constexpr T grad(T x, T) const { return static_cast<T>((x > 0) - (x < 0)); }
};

/// 2/sqrt(pi) integral of e^(-t^2) from 0 to x.
template <class T>
struct Erf {
  constexpr T value(T x) const { return std::erf(x); }
  constexpr T grad(T x, T) const { return T(1.1283791670955126) * std::exp(-x * x); }
};

/// x Phi(x) through erf; the derivative is Phi(x) + x phi(x).
template <class T>
struct GeluExact {
  static constexpr T root_half = T(0.70710678118654752), density = T(0.39894228040143268);
  constexpr T distribution(T x) const { return (1 + std::erf(x * root_half)) / 2; }
  constexpr T value(T x) const { return x * distribution(x); }
  constexpr T grad(T x, T) const { return distribution(x) + x * density * std::exp(-x * x / 2); }
};

/// x^p; the derivative is p x^(p-1), 0 for p = 0.
template <class T>
struct Pow {
  T p;
  constexpr T value(T x) const { return std::pow(x, p); }
  constexpr T grad(T x, T) const { return p == 0 ? T(0) : p * std::pow(x, p - 1); }
};

/// Calls f with the formula of `op`.
template <class T, class Function>
constexpr auto with_unary(UnaryOp op, T exponent, Function f) {
  switch (op) {
    case UnaryOp::exp:
      return f(Exp<T>{});
    case UnaryOp::log:
      return f(Log<T>{});
    case UnaryOp::sqrt:
      return f(Sqrt<T>{});
    case UnaryOp::tanh:
      return f(Tanh<T>{});
    case UnaryOp::sigmoid:
      return f(Sigmoid<T>{});
    case UnaryOp::silu:
      return f(Silu<T>{});
    case UnaryOp::gelu:
      return f(Gelu<T>{});
    case UnaryOp::relu:
      return f(Relu<T>{});
    case UnaryOp::square:
      return f(Square<T>{});
    case UnaryOp::neg:
      return f(Neg<T>{});
    case UnaryOp::rsqrt:
      return f(Rsqrt<T>{});
    case UnaryOp::abs:
      return f(Abs<T>{});
    case UnaryOp::erf:
      return f(Erf<T>{});
    case UnaryOp::gelu_exact:
      return f(GeluExact<T>{});
    case UnaryOp::pow:
      break;
  }
  return f(Pow<T>{exponent});
}

/// dy times the derivative of x^p by x, and by p: dy p x^(p-1), 0 for p = 0; dy x^p log x, 0 where
/// x = 0 and p >= 0.
template <class T>
constexpr T power_grad_base(T x, T p, T dy) {
  return p == 0 ? T(0) : kept_zero(dy, dy * p * std::pow(x, p - 1));
}
template <class T>
constexpr T power_grad_exponent(T x, T p, T dy) {
  return x == 0 && p >= 0 ? T(0) : kept_zero(dy, dy * std::pow(x, p) * std::log(x));
}

/// op(a, b).
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

/// The sum of a row's exponentials that softmax divides by. It is infinite only where an element
/// is; then there is no softmax, and every element becomes NaN.
constexpr double softmax_total(double sum) {
  return sum > std::numeric_limits<double>::max() ? std::numeric_limits<double>::quiet_NaN() : sum;
}

// ---- comparisons and order ----------------------------------------------------------------------

/// displaces() as a function object, for `value` after `best` in a row.
template <class T, bool greatest>
struct Displaces {
  constexpr bool operator()(T value, T best) const { return displaces(value, best, greatest); }
};

/// Calls f with the comparison that `op` names.
template <class T, class Function>
void with_comparison(CompareOp op, Function f) {
  switch (op) {
    case CompareOp::equal:
      return f(std::equal_to<T>{});
    case CompareOp::not_equal:
      return f(std::not_equal_to<T>{});
    case CompareOp::less:
      return f(std::less<T>{});
    case CompareOp::less_equal:
      return f(std::less_equal<T>{});
    case CompareOp::greater:
      return f(std::greater<T>{});
    case CompareOp::greater_equal:
      return f(std::greater_equal<T>{});
    case CompareOp::undercuts:
      return f(Displaces<T, false>{});
    case CompareOp::exceeds:
      return f(Displaces<T, true>{});
  }
}

/// a < b, where NaN counts as greater than any number.
template <class T>
constexpr bool orders_below(T a, T b) {
  return a < b || (a == a && b != b);
}

/// Whether element i of a row comes before element j in sorted order; equal elements keep theirs.
template <class T>
constexpr bool sorts_before(const T* row, Index i, Index j, bool descending) {
  if (orders_below(row[i], row[j])) return !descending;
  if (orders_below(row[j], row[i])) return descending;
  return i < j;
}

}  // namespace gaze::scalar
