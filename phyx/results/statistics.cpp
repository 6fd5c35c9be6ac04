// SPDX-License-Identifier: MIT
// Draws and intervals. The order of operations is fixed: it determines the last bits, and runs are
// compared by their rows.
#include "phyx/results/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

Resamples::Resamples(std::size_t n, int count, std::uint64_t seed) : n_(n), count_(count) {
  GAZE_CHECK(n > 0 && n < (1u << 24), "bootstrap", "cannot resample ", n, " problems");
  GAZE_CHECK(count > 1 && count <= 100000, "bootstrap", "resamples out of range: ", count);
  weights_.assign(n * std::size_t(count), 0.f);
  for (std::size_t b = 0; b < std::size_t(count); ++b) {
    float* row = &weights_[b * n];
    const std::uint64_t key = mix_bits(seed ^ mix_bits(b));
    for (std::size_t i = 0; i < n; ++i) row[draw_below(key, i, std::uint32_t(n))] += 1.f;
  }
}

// Four resamples by eight columns stay in registers, so the table of an ablation takes seconds.
void resampled_sums(const Resamples& draws, const float* values, std::size_t columns, float* out) {
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

double quantile(std::vector<double>& values, double q) {
  GAZE_CHECK(!values.empty() && q >= 0 && q <= 1, "quantile", "of nothing, or q outside 0..1");
  const double position = q * double(values.size() - 1);
  const auto below = std::size_t(position);
  const auto middle = values.begin() + std::ptrdiff_t(below);
  std::nth_element(values.begin(), middle, values.end());
  const double low = *middle, fraction = position - double(below);
  if (fraction == 0) return low;
  return low + fraction * (*std::min_element(middle + 1, values.end()) - low);
}

Interval percentile_interval(double value, std::vector<double>& replicates) {
  replicates.erase(
      std::remove_if(replicates.begin(), replicates.end(), [](double r) { return std::isnan(r); }),
      replicates.end());
  if (replicates.empty()) return {value, value, value};
  const double low = quantile(replicates, 0.025), high = quantile(replicates, 0.975);
  return {value, std::min(low, value), std::max(high, value)};
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
  return {p, std::clamp(centre - half, 0.0, p), std::clamp(centre + half, p, 1.0)};
}

std::vector<double> pooled_replicates(const SeedSums& sums, std::uint64_t seed) {
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

Interval bootstrap_seeds(const std::vector<std::vector<double>>& by_seed, std::uint64_t seed,
                         int resamples) {
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

Interval bootstrap_mean(const std::vector<double>& values, std::uint64_t seed, int resamples) {
  return bootstrap_seeds({values}, seed, resamples);
}

Interval bootstrap_difference(const std::vector<double>& a, const std::vector<double>& b,
                              std::uint64_t seed, int resamples) {
  GAZE_CHECK(a.size() == b.size(), "bootstrap", "paired difference of ", a.size(), " and ",
             b.size(), " problems");
  std::vector<double> difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return bootstrap_mean(difference, seed, resamples);
}

}  // namespace gaze::phyx
