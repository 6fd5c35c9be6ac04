// SPDX-License-Identifier: MIT
// "What the study found / what this run found / does it agree", decided by intervals alone.
//
// The study is arXiv 2604.13993. Each claim is a row of data: which differences measure it, and in
// which direction. A claim of "more" agrees when the 95 % interval lies above 0, is denied when it
// lies below, and is undecided otherwise. A claim of "no more" or "no loss" can never be shown by
// an interval that must exclude 0, so it agrees when the interval stays within a margin of 3
// points.
#pragma once
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "phyx/results/csv.hpp"

namespace gaze::phyx {

/// Whether a claim holds here.
enum class Agreement { agree, no, undecided };

/// One line of the table, worded.
struct Finding {
  std::string claim;   // what the study found, or what this project asks
  std::string source;  // where the claim stands; "this project" for its own questions
  std::string here;    // what was measured here, with its numbers
  Agreement verdict = Agreement::undecided;
  bool own = false;  // a question of this project: the verdict reads yes / no / undecided
};

/// "agrees", "does not agree", "undecided" (or "yes", "no", "undecided" for own questions).
std::string verdict_text(const Finding& f);

/// Differences below this are called none (an effect of 3 points).
inline constexpr double negligible_difference = 0.03;

/// A signed number of percentage points, "+4.2" or "−4.2" (with a real minus sign).
std::string signed_points(double share);

/// Looks up pooled rows (seed "all"); the rows must outlive it.
class ResultIndex {
 public:
  explicit ResultIndex(const std::vector<ResultRow>& rows);

  /// The first such row, or null.
  const ResultRow* find(const std::string& condition, const std::string& metric,
                        const std::string& split = "all", const std::string& format = "all",
                        const std::string& kind = "overall",
                        const std::string& slice = "all") const;

 private:
  using Key =
      std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;
  std::map<Key, const ResultRow*> index_;
};

/// The whole table from pooled result rows, on held-out problems of known templates (`split`
/// "known"; "all" where the results have no such rows).
std::vector<Finding> decide_findings(const std::vector<ResultRow>& rows);

}  // namespace gaze::phyx
