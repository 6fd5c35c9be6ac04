// SPDX-License-Identifier: MIT
// Intervals for test scores: percentile bootstrap over problems, paired and nested in seeds;
// pass@k without bias; Wilson's interval for few problems.
//
// A problem is the unit that is drawn: its samples, and its results under every condition and seed,
// move together. So differences are paired, and samples of one problem are not counted as if they
// were independent. All draws come from a hash of (seed, resample, draw): the same numbers on every
// machine, whatever the order of evaluation.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

/// A value with its 95 % interval.
struct Interval {
  double value = 0, low = 0, high = 0;
};

/// Mixes 64 bits (the finaliser of the splitmix64 generator): a bijection that scatters counters.
inline constexpr std::uint64_t mix_bits(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

/// A whole number below n (n < 2^32) from the counter (key, i). The bias is below n / 2^32.
inline constexpr std::uint32_t draw_below(std::uint64_t key, std::uint64_t i, std::uint32_t n) {
  return std::uint32_t(((mix_bits(key + mix_bits(i)) >> 32) * n) >> 32);
}

/// A 64-bit key from text (FNV-1a), to give every slice its own draws.
inline constexpr std::uint64_t text_key(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325ull;
  for (char c : text) h = (h ^ std::uint8_t(c)) * 0x100000001B3ull;
  return h;
}

/// How often each of n units was drawn in each resample: weights [count, n], each row sums to n.
class Resamples {
 public:
  Resamples(std::size_t n, int count, std::uint64_t seed) : n_(n), count_(count) {
    GAZE_CHECK(n > 0 && n < (1u << 24), "bootstrap", "cannot resample ", n, " problems");
    GAZE_CHECK(count > 1 && count <= 100000, "bootstrap", "resamples out of range: ", count);
    weights_.assign(n * std::size_t(count), 0.f);
    for (std::size_t b = 0; b < std::size_t(count); ++b) {
      float* row = &weights_[b * n];
      const std::uint64_t key = mix_bits(seed ^ mix_bits(b));
      for (std::size_t i = 0; i < n; ++i) row[draw_below(key, i, std::uint32_t(n))] += 1.f;
    }
  }
  std::size_t units() const { return n_; }
  int count() const { return count_; }
  const float* row(int b) const { return &weights_[std::size_t(b) * n_]; }

 private:
  std::size_t n_;
  int count_;
  std::vector<float> weights_;
};

/// Sums of every resample: out[count, columns] = weights [count, n] x values [n, columns].
/// `columns` must be a multiple of 8. Four resamples by eight columns stay in registers, which is
/// what makes a whole ablation's table a matter of seconds.
inline void resampled_sums(const Resamples& draws, const float* values, std::size_t columns,
                           float* out) {
  typedef float Four __attribute__((vector_size(16)));
  GAZE_CHECK(columns % 8 == 0, "bootstrap", "columns not a multiple of 8: ", columns);
  const int count = draws.count();
  for (int b = 0; b < count; b += 4) {
    const float* w[4];
    for (int r = 0; r < 4; ++r) w[r] = draws.row(std::min(b + r, count - 1));
    for (std::size_t c = 0; c < columns; c += 8) {
      Four acc[4][2] = {};
      for (std::size_t i = 0; i < draws.units(); ++i) {
        Four v0, v1;
        std::memcpy(&v0, values + i * columns + c, sizeof v0);
        std::memcpy(&v1, values + i * columns + c + 4, sizeof v1);
        for (int r = 0; r < 4; ++r) {
          acc[r][0] += w[r][i] * v0;
          acc[r][1] += w[r][i] * v1;
        }
      }
      for (int r = 0; r < std::min(4, count - b); ++r)
        std::memcpy(out + std::size_t(b + r) * columns + c, acc[r], sizeof acc[r]);
    }
  }
}

/// The q-quantile with linear interpolation between order statistics. Reorders `values`.
inline double quantile(std::vector<double>& values, double q) {
  GAZE_CHECK(!values.empty() && q >= 0 && q <= 1, "quantile", "of nothing, or q outside 0..1");
  const double position = q * double(values.size() - 1);
  const auto below = std::size_t(position);
  const auto middle = values.begin() + std::ptrdiff_t(below);
  std::nth_element(values.begin(), middle, values.end());
  const double low = *middle, fraction = position - double(below);
  if (fraction == 0) return low;
  return low + fraction * (*std::min_element(middle + 1, values.end()) - low);
}

/// The middle 95 % of the replicates around `value`, which it always holds; those without a value
/// (NaN) are left out.
inline Interval percentile_interval(double value, std::vector<double>& replicates) {
  replicates.erase(
      std::remove_if(replicates.begin(), replicates.end(), [](double r) { return std::isnan(r); }),
      replicates.end());
  if (replicates.empty()) return {value, value, value};
  const double low = quantile(replicates, 0.025), high = quantile(replicates, 0.975);
  return {value, std::min(low, value), std::max(high, value)};
}

/// The share of problems solved by at least one of k out of n samples, c of which were right:
/// 1 - C(n-c, k) / C(n, k), unbiased for k <= n (Chen et al. 2021, "Evaluating large language
/// models trained on code").
inline double pass_at_k(int n, int c, int k) {
  GAZE_CHECK(n > 0 && c >= 0 && c <= n && k >= 1 && k <= n, "pass_at_k", "n = ", n, ", c = ", c,
             ", k = ", k, ": needs 0 <= c <= n and 1 <= k <= n");
  double none = 1;
  for (int i = 0; i < k; ++i) none *= std::max(0.0, double(n - c - i) / double(n - i));
  return 1 - none;
}

/// Wilson's score interval of a proportion, sensible where the bootstrap is not: few problems, or
/// none (or all) of them right. `successes` may be a fraction (means over several samples).
inline Interval wilson(double successes, double n, double z = 1.959963984540054) {
  GAZE_CHECK(n > 0 && successes >= 0 && successes <= n, "wilson", successes, " of ", n);
  const double p = successes / n, z2 = z * z / n;
  const double centre = (p + z2 / 2) / (1 + z2);
  const double half = z / (1 + z2) * std::sqrt(p * (1 - p) / n + z2 / (4 * n));
  // Rounding must not put p outside: at 0 and 1 one of the bounds is p itself.
  return {p, std::clamp(centre - half, 0.0, p), std::clamp(centre + half, p, 1.0)};
}

/// Replicates of a ratio of sums for several seeds: sums of numerators and denominators, [seed][b].
/// A view: whoever made the sums keeps them.
struct SeedSums {
  std::vector<std::span<const float>> numerator, denominator;
};

/// Replicates pooled over seeds. Problems were drawn jointly for all seeds; here the seeds are
/// drawn too (nested), when there is more than one. With S seeds that understates the variance
/// between seeds by (S-1)/S: five seeds are little to know it from.
inline std::vector<double> pooled_replicates(const SeedSums& sums, std::uint64_t seed) {
  const std::size_t seeds = sums.numerator.size();
  GAZE_CHECK(seeds > 0 && seeds == sums.denominator.size(), "bootstrap", "no seeds to pool");
  std::vector<double> out(sums.numerator[0].size());
  for (std::size_t b = 0; b < out.size(); ++b) {
    double numerator = 0, denominator = 0;
    const std::uint64_t key = mix_bits(~seed ^ mix_bits(b));
    for (std::size_t s = 0; s < seeds; ++s) {
      const std::size_t pick = seeds == 1 ? 0 : draw_below(key, s, std::uint32_t(seeds));
      numerator += sums.numerator[pick][b];
      denominator += sums.denominator[pick][b];
    }
    out[b] = denominator > 0 ? numerator / denominator : std::numeric_limits<double>::quiet_NaN();
  }
  return out;
}

/// Mean over problems, averaged over seeds: by_seed[seed][problem]; the same problems in each.
/// One seed: the plain bootstrap over problems.
inline Interval bootstrap_seeds(const std::vector<std::vector<double>>& by_seed,
                                std::uint64_t seed = 0, int resamples = 2000) {
  GAZE_CHECK(!by_seed.empty() && !by_seed[0].empty(), "bootstrap", "no values");
  const std::size_t n = by_seed[0].size();
  const Resamples draws(n, resamples, seed);
  const std::vector<float> problems(static_cast<std::size_t>(resamples), static_cast<float>(n));
  std::vector<std::vector<float>> columns;
  double total = 0;
  for (const auto& values : by_seed) {
    GAZE_CHECK(values.size() == n, "bootstrap", "seeds differ in their number of problems: ", n,
               " and ", values.size());
    std::vector<float> table(n * 8, 0.f), out(std::size_t(resamples) * 8);
    for (std::size_t i = 0; i < n; ++i) table[i * 8] = float(values[i]);
    for (double v : values) total += v;
    resampled_sums(draws, table.data(), 8, out.data());
    auto& column = columns.emplace_back(std::size_t(resamples));
    for (std::size_t b = 0; b < column.size(); ++b) column[b] = out[b * 8];
  }
  SeedSums sums{{columns.begin(), columns.end()}, {}};
  sums.denominator.assign(columns.size(), problems);
  auto replicates = pooled_replicates(sums, seed);
  return percentile_interval(total / double(n * by_seed.size()), replicates);
}

/// Mean with its bootstrap interval over problems.
inline Interval bootstrap_mean(const std::vector<double>& values, std::uint64_t seed = 0,
                               int resamples = 2000) {
  return bootstrap_seeds({values}, seed, resamples);
}

/// Mean of a - b on the same problems (paired: both sides of a problem are drawn together).
inline Interval bootstrap_difference(const std::vector<double>& a, const std::vector<double>& b,
                                     std::uint64_t seed = 0, int resamples = 2000) {
  GAZE_CHECK(a.size() == b.size(), "bootstrap", "paired difference of ", a.size(), " and ",
             b.size(), " problems");
  std::vector<double> difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return bootstrap_mean(difference, seed, resamples);
}

}  // namespace gaze::phyx
