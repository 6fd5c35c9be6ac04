// SPDX-License-Identifier: MIT
// Jackknife over scenes and seeds. The order of operations is fixed: it determines the last bits,
// and runs are compared by their rows.
#include "phyx/results/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "gaze/core/error.hpp"
#include "phyx/results/student.hpp"

namespace gaze::phyx {

namespace {

constexpr std::array<std::pair<Basis, std::string_view>, 5> basis_names = {{
    {Basis::unknown, ""},
    {Basis::scenes, "scenes"},
    {Basis::seeds_and_scenes, "seeds+scenes"},
    {Basis::wilson, "wilson"},
    {Basis::degenerate, "degenerate"},
}};

constexpr double z_95 = 1.959963984540054;  // the 97.5 % point of the normal distribution
constexpr double few_scenes = 5;            // of an outcome: too few for a t interval

/// Sums of a table by scene and by seed.
struct Margins {
  std::vector<Ratio> scenes, seeds;
  Ratio total;
};

Margins sum_margins(const RatioTable& table) {
  GAZE_CHECK(!table.empty(), "ratio_interval", "no seeds");
  Margins out;
  out.scenes.resize(table[0].size());
  for (const auto& seed : table) {
    GAZE_CHECK(seed.size() == out.scenes.size(), "ratio_interval",
               "seeds differ in their number of scenes: ", out.scenes.size(), " and ", seed.size());
    Ratio& sum = out.seeds.emplace_back();
    for (std::size_t i = 0; i < seed.size(); ++i) {
      sum += seed[i];
      out.scenes[i] += seed[i];
    }
    out.total += sum;
  }
  return out;
}

/// Outcomes are stored with six digits after the point. A standard error below this is the noise of
/// that rounding.
constexpr double smallest_error = 1e-5;

/// A jackknife variance, the change of that variance per unit of the mean (0 for a symmetric
/// distribution), and the number of clusters.
struct Spread {
  double variance = 0, slope = 0;
  int clusters = 0;
};

Spread jackknife(const std::vector<double>& replicates) {
  const auto n = static_cast<double>(replicates.size());
  Spread out{0, 0, static_cast<int>(replicates.size())};
  if (replicates.size() < 2) return out;
  double mean = 0, largest = 0, cubes = 0;
  for (const double r : replicates) mean += r / n;
  for (const double r : replicates) {
    const double d = r - mean;
    out.variance += (n - 1) / n * d * d;
    cubes += (n - 1) / n * d * d * d;
    largest = std::max(largest, std::fabs(r));
  }
  const double noise = 1e-12 * std::max(largest, 1e-300);
  if (out.variance <= noise * noise * n * n)
    out.variance = 0;
  else
    out.slope = std::fabs((n - 1) / n * cubes / out.variance);
  return out;
}

/// The standard error with the variance at the end of the interval instead of at its centre: the
/// e that solves (z e)^2 = z^2 (variance + slope z e). For a count of rare events this is Wilson's.
double error_at_end(double variance, double slope) {
  const double half = z_95 / 2 * slope;
  return half + std::sqrt(variance + half * half);
}

/// In how many scenes' worth two shares differ in a seed, averaged over the seeds that have both;
/// the smaller of that of successes and of failures, which are the same if both sides have the same
/// denominators. Not of sums over seeds, where gains and losses of a scene cancel.
double scenes_that_differ(const RatioTable& a, const RatioTable& b, int scenes) {
  double sum = 0, seeds = 0;
  for (std::size_t s = 0; s < a.size(); ++s) {
    Ratio all_a, all_b;
    for (const Ratio& r : a[s]) all_a += r;
    for (const Ratio& r : b[s]) all_b += r;
    if (all_a.denominator <= 0 || all_b.denominator <= 0) continue;
    double successes = 0, failures = 0;
    for (std::size_t i = 0; i < a[s].size(); ++i) {
      const Ratio x = a[s][i], y = b[s][i];
      successes += std::fabs(x.numerator / all_a.denominator - y.numerator / all_b.denominator);
      failures += std::fabs((x.denominator - x.numerator) / all_a.denominator -
                            (y.denominator - y.numerator) / all_b.denominator);
    }
    sum += std::min(successes, failures);
    ++seeds;
  }
  return seeds > 0 ? scenes * sum / seeds : 0;
}

/// Replicates of a ratio, or of a difference, that leave out one cluster each. Clusters without
/// data on either side are no clusters. Empty if one cluster has all data of a side: no replicate.
std::vector<double> replicates(const std::vector<Ratio>& a, const Ratio& all_a,
                               const std::vector<Ratio>* b, const Ratio& all_b) {
  std::vector<double> out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].denominator <= 0 && (!b || (*b)[i].denominator <= 0)) continue;
    const Ratio rest_a = all_a - a[i], rest_b = b ? all_b - (*b)[i] : Ratio{0, 1};
    if (rest_a.denominator <= 0 || rest_b.denominator <= 0) return {};
    out.push_back(rest_a.value() - rest_b.value());
  }
  return out;
}

/// The t interval from both variances; degenerate without any spread or with one cluster.
Interval combine(double value, const Spread& scenes, const Spread& seeds, std::size_t seed_count) {
  Interval out{value, value, value};
  out.seeds = static_cast<int>(seed_count);
  out.scenes = scenes.clusters;
  const double variance = scenes.variance + seeds.variance;
  const bool lost_seeds = seed_count > 1 && seeds.clusters < 2;
  if (scenes.clusters < 2 || lost_seeds || !(variance > smallest_error * smallest_error)) {
    out.basis = Basis::degenerate;
    return out;
  }
  out.basis = seed_count > 1 ? Basis::seeds_and_scenes : Basis::scenes;
  out.error = std::sqrt(variance);
  double spread = scenes.variance * scenes.variance / (scenes.clusters - 1);
  if (seed_count > 1) spread += seeds.variance * seeds.variance / (seeds.clusters - 1);
  out.df = variance * variance / spread;
  const double half = student_quantile(0.975, out.df) * out.error;
  out.low = value - half;
  out.high = value + half;
  return out;
}

}  // namespace

std::string_view basis_name(Basis basis) {
  for (const auto& [known, name] : basis_names)
    if (known == basis) return name;
  return "";
}

std::optional<Basis> basis_of(std::string_view name) {
  for (const auto& [basis, known] : basis_names)
    if (known == name) return basis;
  return std::nullopt;
}

Ratio& Ratio::operator+=(const Ratio& o) {
  numerator += o.numerator;
  denominator += o.denominator;
  return *this;
}

Ratio Ratio::operator-(const Ratio& o) const {
  return {numerator - o.numerator, denominator - o.denominator};
}

std::optional<Interval> ratio_interval(const RatioTable& table) {
  const Margins m = sum_margins(table);
  if (m.total.denominator <= 0) return std::nullopt;
  return combine(m.total.value(), jackknife(replicates(m.scenes, m.total, nullptr, {})),
                 jackknife(replicates(m.seeds, m.total, nullptr, {})), table.size());
}

std::optional<Interval> difference_interval(const RatioTable& a, const RatioTable& b, bool share) {
  const Margins x = sum_margins(a), y = sum_margins(b);
  GAZE_CHECK(x.scenes.size() == y.scenes.size() && a.size() == b.size(), "difference_interval",
             "paired tables of ", a.size(), " x ", x.scenes.size(), " and ", b.size(), " x ",
             y.scenes.size(), " seeds and scenes");
  if (x.total.denominator <= 0 || y.total.denominator <= 0) return std::nullopt;
  const double value = x.total.value() - y.total.value();
  const Spread seeds = jackknife(replicates(x.seeds, x.total, &y.seeds, y.total));
  Spread scenes = jackknife(replicates(x.scenes, x.total, &y.scenes, y.total));
  const Interval plain = combine(value, scenes, seeds, a.size());
  if (plain.basis == Basis::degenerate) return plain;
  double error = error_at_end(scenes.variance, scenes.slope);
  bool sparse = false;
  if (share) {
    const double n = scenes.clusters, differ = scenes_that_differ(a, b, scenes.clusters);
    sparse = differ < few_scenes;
    if (sparse) error = std::max(error, error_at_end(differ / (n * n), 1 / n));
  }
  scenes.variance = error * error;
  Interval out = combine(value, scenes, seeds, a.size());
  if (sparse) out.basis = Basis::wilson;
  return out;
}

Interval share_interval(Interval interval, int small) {
  const double n = interval.scenes, share = std::clamp(interval.value, 0.0, 1.0);
  interval.low = std::clamp(interval.low, 0.0, std::max(0.0, interval.value));
  interval.high = std::clamp(interval.high, interval.value, std::max(1.0, interval.value));
  const bool flat = interval.basis == Basis::degenerate;
  if (n < 1 || !(flat || n < small || n * std::min(share, 1 - share) < few_scenes)) return interval;
  const Interval w = wilson(share * n, n);
  interval.low = std::min(interval.low, w.low);
  interval.high = std::max(interval.high, w.high);
  if (!flat) interval.basis = Basis::wilson;
  return interval;
}

double pass_at_k(int n, int c, int k) {
  GAZE_CHECK(n > 0 && c >= 0 && c <= n && k >= 1 && k <= n, "pass_at_k", "n = ", n, ", c = ", c,
             ", k = ", k, ": needs 0 <= c <= n and 1 <= k <= n");
  double none = 1;
  for (int i = 0; i < k; ++i) none *= std::max(0.0, double(n - c - i) / double(n - i));
  return 1 - none;
}

Interval wilson(double successes, double n, double z) {
  GAZE_CHECK(n > 0 && successes >= 0 && successes <= n, "wilson", successes, " of ", n);
  const double p = successes / n, z2 = z * z / n;
  const double centre = (p + z2 / 2) / (1 + z2);
  const double half = z / (1 + z2) * std::sqrt(p * (1 - p) / n + z2 / (4 * n));
  // Rounding must not exclude p: at 0 and 1 one of the bounds is p itself.
  Interval out{p, std::clamp(centre - half, 0.0, p), std::clamp(centre + half, p, 1.0)};
  out.basis = Basis::wilson;
  return out;
}

std::optional<double> correlation(std::span<const double> x, std::span<const double> y) {
  GAZE_CHECK(x.size() == y.size(), "correlation", "of ", x.size(), " and ", y.size(), " values");
  double n = 0, mean_x = 0, mean_y = 0;
  const auto known = [&](std::size_t i) { return std::isfinite(x[i]) && std::isfinite(y[i]); };
  for (std::size_t i = 0; i < x.size(); ++i)
    if (known(i)) n += 1, mean_x += x[i], mean_y += y[i];
  if (n < 2) return std::nullopt;
  mean_x /= n;
  mean_y /= n;
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!known(i)) continue;
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  const double none = 1e-24 * n;  // rounding noise of equal values near 1
  if (xx <= none * mean_x * mean_x || yy <= none * mean_y * mean_y || xx <= 0 || yy <= 0)
    return std::nullopt;
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

}  // namespace gaze::phyx
