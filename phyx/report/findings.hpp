// SPDX-License-Identifier: MIT
// The comparison with the study: its claims, the results of this run, and whether they agree,
// decided by intervals alone.
//
// The study is arXiv 2604.13993. Each claim is a row of data: the differences that measure it, and
// their direction. A claim of "more" agrees if the 95 % interval lies above 0, is refuted if it
// lies below, and is undecided otherwise. A claim of "no more" or "no loss" agrees if the interval
// stays within a margin of 3 points.
#pragma once
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "phyx/results/csv.hpp"

namespace gaze::phyx {

/// Whether a claim holds in this run.
enum class Agreement { agree, no, undecided };

/// One row of the table as text.
struct Finding {
  std::string claim;   // a claim of the study, or a question of this project
  std::string source;  // source of the claim; "this project" for its own questions
  std::string here;    // the measurement in this run
  Agreement verdict = Agreement::undecided;
  bool own = false;  // a question of this project: the verdict reads yes / no / undecided
};

/// "agrees", "does not agree", "undecided" (or "yes", "no", "undecided" for own questions).
std::string verdict_text(const Finding& f);

/// Differences below 3 points count as none.
inline constexpr double negligible_difference = 0.03;

/// A signed number of percentage points, "+4.2" or "−4.2" (with a real minus sign).
std::string signed_points(double share);

/// An interval in percentage points: "[1.3, 7.1]".
std::string points_interval(const ResultRow& r);

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

/// The table from pooled rows on held-out problems of known templates (`split` "known", or "all" if
/// there are no such rows).
std::vector<Finding> decide_findings(const std::vector<ResultRow>& rows);

}  // namespace gaze::phyx
