// SPDX-License-Identifier: MIT
// Intervals for test scores: Student's t over seeds combined with scenes resampled by leaving one
// out; Wilson's interval for few scenes; unbiased pass@k; correlation.
//
// A score is a ratio of sums r = sum N / sum D over a table [seed][scene] (a mean if D counts).
// A scene is the cluster: its multiple-choice and its open-ended problem and all samples of both
// are one cell. Seeds enter as seeds. With r(-i) the score without scene i and r(-s) the score
// without seed s, the two jackknife variances are
//
//   V_scenes = (n - 1)/n sum_i (r(-i) - mean r(-i))^2      n scenes
//   V_seeds  = (S - 1)/S sum_s (r(-s) - mean r(-s))^2      S seeds; absent if S = 1
//
// For a mean these are the sample variance of the scene means / n and of the seed means / S. The
// standard error is sqrt(V_scenes + V_seeds). The interaction of seeds and scenes is in both terms,
// so where it dominates the error is up to sqrt(2) too large. The 95 % interval is
// r +- t(0.975, df) * error with
//
//   df = (V_scenes + V_seeds)^2 / (V_scenes^2 / (n - 1) + V_seeds^2 / (S - 1))
//
// (Satterthwaite 1946, "An approximate distribution of estimates of variance components"). If seeds
// dominate this is the t interval over seed means with S - 1 degrees of freedom. One seed: scenes
// only, so the interval says nothing about other seeds. Paired differences leave out the same scene
// or seed on both sides.
//
// Differences of rare events: their variance grows with their frequency, so an estimate that is too
// low has a standard error that is too small, and a true difference at the margin would be called
// equivalent far too often. As Wilson's interval does for a share, V_scenes is therefore taken at
// the end of the interval: e = z (V + s e)^(1/2) with s = |sum D^3| / (n sum D^2), the rate at
// which the variance of a sum of rare events D of any size grows with its mean; s = 0, and nothing
// changes, for a symmetric distribution. For shares with fewer than 5 scenes' worth of difference
// in a seed (averaged over seeds) a scene counts as a whole: at least V = d / n^2 and s = 1/n with
// d scenes that differ. Coverage, and the size of the verdict "equivalent", by simulation:
// tests/test_coverage.cpp.
#pragma once
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace gaze::phyx {

/// The source of an interval. wilson: extended because of few scenes, few of either outcome, or
/// few that differ.
/// degenerate: no spread between scenes and seeds (0 of n, all equal, or a standard error below
/// 1e-5, which is rounding), or fewer than two scenes; such an interval never gives a verdict.
/// unknown: read from a table without this column.
enum class Basis { unknown, scenes, seeds_and_scenes, wilson, degenerate };

/// "scenes", "seeds+scenes", "wilson", "degenerate"; "" for unknown.
std::string_view basis_name(Basis basis);

/// The inverse of basis_name; empty for another text.
std::optional<Basis> basis_of(std::string_view name);

/// A value with its 95 % interval. `low` <= `value` <= `high` always.
struct Interval {
  double value = 0, low = 0, high = 0;
  double error = 0;  // standard error
  double df = 0;     // degrees of freedom of the t interval
  int seeds = 0, scenes = 0;
  Basis basis = Basis::unknown;
};

/// A sum of values and its denominator.
struct Ratio {
  double numerator = 0, denominator = 0;
  double value() const { return numerator / denominator; }
  Ratio& operator+=(const Ratio& o);
  Ratio operator-(const Ratio& o) const;
};

/// Ratios by [seed][scene]; the same scenes in every seed. A scene without data has zeros.
using RatioTable = std::vector<std::vector<Ratio>>;

/// The interval of the pooled ratio; empty if its denominator is 0. Throws Error without seeds, or
/// if they differ in their number of scenes.
std::optional<Interval> ratio_interval(const RatioTable& table);

/// The interval of a - b, paired by seed and scene; empty if a denominator is 0. `share`: of
/// shares, so that the interval is extended if fewer than 5 scenes' worth of answers differ. Throws
/// Error if the tables differ in size.
std::optional<Interval> difference_interval(const RatioTable& a, const RatioTable& b,
                                            bool share = false);

/// Fits the interval of a share into 0 to 1. With fewer than `small` scenes, or fewer than 5 of
/// either outcome, or no spread, it is extended to Wilson's interval, which counts scenes, not
/// samples. Degenerate intervals stay marked as such.
Interval share_interval(Interval interval, int small);

/// The share of problems solved by at least one of k out of n samples, c of which were right:
/// 1 - C(n-c, k) / C(n, k), unbiased for k <= n (Chen et al. 2021, "Evaluating large language
/// models trained on code"). Throws Error unless 0 <= c <= n and 1 <= k <= n.
double pass_at_k(int n, int c, int k);

/// Wilson's score interval of a proportion, valid where a normal one is not: few problems, or none
/// (or all) of them right. `successes` may be a fraction (means over several samples); an Error if
/// it is outside 0 to n.
Interval wilson(double successes, double n, double z = 1.959963984540054);

/// Pearson's correlation of the pairs of which both are finite; empty for fewer than two, or if one
/// side does not vary. Throws Error if the sizes differ.
std::optional<double> correlation(std::span<const double> x, std::span<const double> y);

}  // namespace gaze::phyx
