// SPDX-License-Identifier: MIT
// Helpers for numbers: special values, comparisons, and arrays of random values.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "gaze/core/shape.hpp"
#include "tests/test.hpp"

namespace gaze::test {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Matches `want` up to margin * max(1, |want|), in the spelling common to Catch2 2 and 3.
inline auto near(double want, double margin = 1e-6) {
  return Catch::Matchers::WithinAbs(want, margin * std::max(1.0, std::abs(want)));
}

/// Is the value within a relative tolerance of the expected one?
inline bool near_to(double value, double expected, double tolerance) {
  return std::abs(value - expected) <= tolerance * std::abs(expected);
}

/// An element of any type, bf16 included, as a double.
template <class T>
double as_double(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<double>(x);
  else
    return static_cast<double>(static_cast<float>(x));
}

/// |a - b| / |b| in the Euclidean norm; 0 for equal arrays, also where b is all zeros.
template <class A, class B>
double relative_error(const std::vector<A>& a, const std::vector<B>& b) {
  REQUIRE(a.size() == b.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = as_double(a[i]), y = as_double(b[i]);
    difference += (x - y) * (x - y);
    size += y * y;
  }
  return difference == 0 ? 0 : std::sqrt(difference / size);
}

template <class T>
bool same_bits(const T* a, const T* b, Index count) {
  return count == 0 || std::memcmp(a, b, static_cast<std::size_t>(count) * sizeof(T)) == 0;
}
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && same_bits(a.data(), b.data(), static_cast<Index>(a.size()));
}

/// The same numbers in another type.
template <class To, class From>
std::vector<To> converted(const std::vector<From>& v) {
  std::vector<To> out;
  out.reserve(v.size());
  for (const From x : v) out.push_back(static_cast<To>(as_double(x)));
  return out;
}

/// Uniform float32 values in [-1, 1), rounded to T.
template <class T = float>
std::vector<T> noise(Index count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<T> v;
  for (Index i = 0; i < count; ++i) v.push_back(static_cast<T>(uniform(random)));
  return v;
}

/// Normal float32 values, converted to T.
template <class T>
std::vector<T> normal_values(Index count, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<T> v;
  for (Index i = 0; i < count; ++i) v.push_back(static_cast<T>(normal(random)));
  return v;
}

/// The largest |x|, 0 for an empty array. NaNs are ignored; all_finite finds them.
template <class T>
T max_abs(Index n, const T* x) {
  T largest = 0;
  for (Index i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i]));
  return largest;
}

template <class T>
bool all_finite(Index n, const T* x) {
  return std::all_of(x, x + n, [](T v) { return std::isfinite(v); });
}

}  // namespace gaze::test
