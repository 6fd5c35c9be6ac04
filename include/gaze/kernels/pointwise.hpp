// SPDX-License-Identifier: MIT
// Formulas of single values, for every device: pointwise functions, each beside its derivative,
// comparisons and the order of sorting. constexpr so that device code may call them, although
// std::erf and its kin are not.
#pragma once
#include <cmath>
#include <functional>
#include <limits>

#include "gaze/kernels/scalar.hpp"

namespace gaze::scalar {

// value(x) and slope(x, y), y being value(x).

/// 1 / sqrt(x).
template <class T>
struct Rsqrt {
  constexpr T value(T x) const { return 1 / std::sqrt(x); }
  constexpr T slope(T, T y) const { return T(-0.5) * y * y * y; }
};

/// |x|; the derivative at 0 is 0.
template <class T>
struct Abs {
  constexpr T value(T x) const { return std::abs(x); }
  constexpr T slope(T x, T) const { return static_cast<T>((x > 0) - (x < 0)); }
};

/// 2/sqrt(pi) integral of e^(-t^2) from 0 to x.
template <class T>
struct Erf {
  constexpr T value(T x) const { return std::erf(x); }
  constexpr T slope(T x, T) const { return T(1.1283791670955126) * std::exp(-x * x); }
};

/// x Phi(x) through erf; the slope is Phi(x) + x phi(x).
template <class T>
struct GeluExact {
  static constexpr T root_half = T(0.70710678118654752), density = T(0.39894228040143268);
  constexpr T distribution(T x) const { return (1 + std::erf(x * root_half)) / 2; }
  constexpr T value(T x) const { return x * distribution(x); }
  constexpr T slope(T x, T) const { return distribution(x) + x * density * std::exp(-x * x / 2); }
};

/// x^p; the slope is p x^(p-1), 0 for p = 0.
template <class T>
struct Pow {
  T p;
  constexpr T value(T x) const { return std::pow(x, p); }
  constexpr T slope(T x, T) const { return p == 0 ? T(0) : p * std::pow(x, p - 1); }
};

/// Calls f with the formula that `op` names.
template <class T, class Function>
void with_pointwise(PointwiseOp op, T p, Function f) {
  switch (op) {
    case PointwiseOp::rsqrt:
      return f(Rsqrt<T>{});
    case PointwiseOp::abs:
      return f(Abs<T>{});
    case PointwiseOp::erf:
      return f(Erf<T>{});
    case PointwiseOp::gelu_exact:
      return f(GeluExact<T>{});
    case PointwiseOp::pow:
      return f(Pow<T>{p});
  }
}

/// dy times the derivative of x^p by x, and by p: dy p x^(p-1), 0 for p = 0; dy x^p log x, 0 where
/// x = 0 and p >= 0.
template <class T>
constexpr T power_slope_base(T x, T p, T dy) {
  return p == 0 ? T(0) : kept_zero(dy, dy * p * std::pow(x, p - 1));
}
template <class T>
constexpr T power_slope_exponent(T x, T p, T dy) {
  return x == 0 && p >= 0 ? T(0) : kept_zero(dy, dy * std::pow(x, p) * std::log(x));
}

/// The sum of a row's exponentials that softmax divides by. It is infinite only where an element
/// is: then there is no softmax, and every element becomes NaN.
constexpr double softmax_total(double sum) {
  return sum > std::numeric_limits<double>::max() ? std::numeric_limits<double>::quiet_NaN() : sum;
}

/// value comes after best in a row: does it take its place?
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

/// Is a before b where NaN counts as greater than any number?
template <class T>
constexpr bool orders_below(T a, T b) {
  return a < b || (a == a && b != b);
}

/// Does element i of a row come before element j, sorted with equals in their order?
template <class T>
constexpr bool sorts_before(const T* row, Index i, Index j, bool descending) {
  if (orders_below(row[i], row[j])) return !descending;
  if (orders_below(row[j], row[i])) return descending;
  return i < j;
}

}  // namespace gaze::scalar
