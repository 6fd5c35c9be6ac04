// SPDX-License-Identifier: MIT
// Intervals for test scores: percentile bootstrap over problems, paired and nested in seeds;
// unbiased pass@k; Wilson's interval for few problems.
//
// The bootstrap resamples problems: a problem's samples and its results under every condition and
// seed stay together. So differences are paired, and samples of one problem do not count as
// independent. Draws are hashes of (seed, resample, draw): the same on every machine, in any order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "phyx/hash.hpp"

namespace gaze::phyx {

/// A value with its 95 % interval.
struct Interval {
  double value = 0, low = 0, high = 0;
};

/// A whole number below n (n < 2^32) from the counter (key, i). The bias is below n / 2^32.
inline constexpr std::uint32_t draw_below(std::uint64_t key, std::uint64_t i, std::uint32_t n) {
  return std::uint32_t(((mix_bits(key + mix_bits(i)) >> 32) * n) >> 32);
}

/// The number of draws of each of n units in each resample: weights [count, n], rows sum to n.
class Resamples {
 public:
  /// Throws Error for n outside 1 to 2^24 - 1, or a count outside 2 to 100000.
  Resamples(std::size_t n, int count, std::uint64_t seed);

  std::size_t units() const { return n_; }
  int count() const { return count_; }
  const float* row(int b) const { return &weights_[std::size_t(b) * n_]; }

 private:
  std::size_t n_;
  int count_;
  std::vector<float> weights_;
};

/// Sums of every resample: out[count, columns] = weights [count, n] x values [n, columns].
/// Throws Error unless `columns` is a multiple of 8.
void resampled_sums(const Resamples& draws, const float* values, std::size_t columns, float* out);

/// The q-quantile with linear interpolation between order statistics. Reorders `values`.
/// Throws Error for no values or a q outside 0 to 1.
double quantile(std::vector<double>& values, double q);

/// The central 95 % of the replicates, extended to include `value`; NaN replicates are ignored.
Interval percentile_interval(double value, std::vector<double>& replicates);

/// The share of problems solved by at least one of k out of n samples, c of which were right:
/// 1 - C(n-c, k) / C(n, k), unbiased for k <= n (Chen et al. 2021, "Evaluating large language
/// models trained on code"). Throws Error unless 0 <= c <= n and 1 <= k <= n.
double pass_at_k(int n, int c, int k);

/// Wilson's score interval of a proportion, valid where the bootstrap is not: few problems, or none
/// (or all) of them right. `successes` may be a fraction (means over several samples); an Error if
/// it is outside 0 to n.
Interval wilson(double successes, double n, double z = 1.959963984540054);

/// Resampled sums of the numerators and denominators of a ratio, [seed][b]. A view of the sums.
struct SeedSums {
  std::vector<std::span<const float>> numerator, denominator;
};

/// Replicates pooled over seeds. Problems were drawn jointly for all seeds; with several seeds,
/// seeds are drawn too (nested). With S seeds this underestimates the variance between seeds by the
/// factor (S-1)/S.
std::vector<double> pooled_replicates(const SeedSums& sums, std::uint64_t seed);

/// Mean over problems, averaged over seeds: by_seed[seed][problem]; the same problems in each.
/// One seed: the plain bootstrap over problems. Throws Error without values, or if seeds differ in
/// their number of problems.
Interval bootstrap_seeds(const std::vector<std::vector<double>>& by_seed, std::uint64_t seed = 0,
                         int resamples = 2000);

/// The mean with its bootstrap interval over problems.
Interval bootstrap_mean(const std::vector<double>& values, std::uint64_t seed = 0,
                        int resamples = 2000);

/// The mean of a - b on the same problems (paired: both sides of a problem are drawn together).
/// Throws Error if a and b differ in size.
Interval bootstrap_difference(const std::vector<double>& a, const std::vector<double>& b,
                              std::uint64_t seed = 0, int resamples = 2000);

}  // namespace gaze::phyx
