// SPDX-License-Identifier: MIT
// The incomplete beta function as a continued fraction, and its inverse by bracketed Newton steps.
#include "phyx/results/student.hpp"

#include <algorithm>
#include <cmath>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

namespace {

constexpr double most_df = 1e6;  // the normal distribution to six digits

/// Continued fraction of the incomplete beta function (modified Lentz method). Converges within
/// O(sqrt(max(a, b))) terms for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::fabs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), out = d;
  for (int m = 1; m < 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double factor = 1;
    for (const double term : {even, odd}) {
      d = 1 / away_from_zero(1 + term * d);
      c = away_from_zero(1 + term / c);
      factor = c * d;
      out *= factor;
    }
    if (std::fabs(factor - 1) < 1e-15) break;
  }
  return out;
}

/// I_x(a, b); `y` is 1 - x, which the caller has without cancellation.
double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log(y));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, y) / b;
}

double student_density(double t, double df) {
  return std::exp(std::lgamma((df + 1) / 2) - std::lgamma(df / 2) -
                  (df + 1) / 2 * std::log1p(t * t / df)) /
         std::sqrt(df * 3.14159265358979323846);
}

}  // namespace

double student_cdf(double t, double df) {
  GAZE_CHECK(df > 0, "student_cdf", "degrees of freedom must be positive, got ", df);
  df = std::min(df, most_df);
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  const double whole = df + t * t;
  const double tail = incomplete_beta(df / 2, 0.5, df / whole, t * t / whole) / 2;
  return t > 0 ? 1 - tail : tail;
}

double student_quantile(double p, double df) {
  GAZE_CHECK(df > 0 && p > 0 && p < 1, "student_quantile", "p = ", p, ", df = ", df,
             ": needs 0 < p < 1 and positive degrees of freedom");
  df = std::min(df, most_df);
  if (p == 0.5) return 0;
  if (p < 0.5) return -student_quantile(1 - p, df);
  double low = 0, high = 1;
  while (student_cdf(high, df) < p) low = high, high *= 2;
  double t = (low + high) / 2;
  for (int i = 0; i < 200; ++i) {
    const double excess = student_cdf(t, df) - p;
    (excess > 0 ? high : low) = t;
    double next = t - excess / student_density(t, df);
    if (!(next > low && next < high)) next = (low + high) / 2;
    const double moved = std::fabs(next - t);
    t = next;
    if (moved <= 1e-11 * t) break;
  }
  return t;
}

}  // namespace gaze::phyx
