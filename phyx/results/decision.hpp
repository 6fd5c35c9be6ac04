// SPDX-License-Identifier: MIT
// The one decision rule of all verdicts, and its correction for the number of comparisons.
//
// With a margin m >= 0 declared before the run, a difference d is
//
//   above       if its 95 % interval lies above +m,
//   below       if its 95 % interval lies below -m,
//   equivalent  if its 90 % interval lies within (-m, +m), which is two one-sided t tests at 5 %
//               each (Schuirmann 1987),
//   undecided   otherwise, and always for a degenerate interval.
//
// A true difference can make at most one of the three wrong with a probability of up to 5 %.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "phyx/results/statistics.hpp"

namespace gaze::phyx {

enum class Verdict { above, below, equivalent, undecided };

/// "above", "below", "equivalent", "undecided".
std::string_view verdict_name(Verdict v);

/// The inverse of verdict_name; empty for another text.
std::optional<Verdict> verdict_of(std::string_view name);

/// The bounds of an interval at another level, 0 < level < 1, from its error and degrees of
/// freedom: value +- t((1 + level) / 2, df) error. Throws Error if the interval has no error.
Interval at_level(const Interval& interval, double level);

/// The verdict at 95 % (equivalence: 90 % interval). Throws Error for a negative margin.
Verdict decide(const Interval& interval, double margin);

/// One declared comparison.
struct Comparison {
  Interval difference;
  double margin = 0;
};

/// The verdict that a comparison supports most, and the smallest family-wise error rate at which it
/// is reached.
struct Decision {
  Verdict verdict = Verdict::undecided;  // at 5 %
  double p = 1;                          // adjusted
};

/// Holm's step-down correction (Holm 1979, "A simple sequentially rejective multiple test
/// procedure") of p-values: sorted ascending, adjusted p(k) = max over j <= k of (K - j + 1) p(j),
/// at most 1, in the order of the input. The chance of any false rejection among the K is at most
/// the level at which adjusted values are rejected, whatever their dependence.
std::vector<double> holm(std::span<const double> p_values);

/// Decisions of all comparisons with a family-wise error of at most 5 %: the p-value of a
/// comparison is that of the strongest of above (two-sided), below (two-sided) and equivalent (two
/// one-sided tests), adjusted by Holm. Degenerate ones count in K and stay undecided. One
/// comparison alone is decided as by decide().
std::vector<Decision> holm(std::span<const Comparison> comparisons);

}  // namespace gaze::phyx
