// SPDX-License-Identifier: MIT
// Random arrays for tests of kernels, and comparisons of their results.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "gaze/core/index.hpp"
#include "tests/numbers.hpp"
#include "tests/restore.hpp"
#include "tests/test.hpp"

namespace gaze::test::arrays {

template <class T>
using Vec = std::vector<T>;
using Ints = std::vector<std::int32_t>;

inline constexpr Index sizes[] = {1, 3, 15, 16, 17, 64, 100, 344, 1000};
inline constexpr auto inf = static_cast<float>(infinity);
inline constexpr auto no_number = static_cast<float>(not_a_number);

template <class T>
Vec<T> random(Index n, unsigned seed, double low = -2, double high = 2) {
  std::mt19937 bits(seed);
  Vec<T> x(static_cast<std::size_t>(n));
  for (T& value : x) value = static_cast<T>(low + (high - low) * (bits() / 4294967296.0));
  return x;
}

inline Vec<double> wide(const Vec<float>& x) { return {x.begin(), x.end()}; }

/// The difference, relative to max(1, |expected|).
inline double relative_difference(double actual, double expected) {
  return std::abs(actual - expected) / std::max(1.0, std::abs(expected));
}

/// The largest difference of two arrays.
inline double distance(const Vec<float>& actual, const Vec<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double d = relative_difference(actual[i], expected[i]);
    if (!(d <= worst)) worst = d;  // a NaN stays
  }
  return worst;
}

/// Checks dx against (f(x + h) - f(x - h)) / 2h for every element of x.
inline void check_gradient(Vec<double>& x, const Vec<double>& dx,
                           const std::function<double()>& f) {
  REQUIRE(x.size() == dx.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double kept = x[i], h = 1e-5;
    x[i] = kept + h;
    const double up = f();
    x[i] = kept - h;
    const double down = f();
    x[i] = kept;
    CHECK(relative_difference(dx[i], (up - down) / (2 * h)) < 1e-8);
  }
}

inline double dot(const Vec<double>& a, const Vec<double>& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

inline Ints random_ints(Index n, unsigned seed, int low, int high) {
  std::mt19937 bits(seed);
  Ints x(static_cast<std::size_t>(n));
  for (auto& value : x) value = low + static_cast<int>(bits() % unsigned(high - low + 1));
  return x;
}

}  // namespace gaze::test::arrays
