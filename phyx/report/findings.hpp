// SPDX-License-Identifier: MIT
// The declared claims, the results of this run, and whether they agree: every row is decided by the
// rule of phyx/results/decision.hpp, with Holm's correction over all declared comparisons.
#pragma once
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "phyx/results/claims.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/decision.hpp"

namespace gaze::phyx {

/// Whether a claim holds in this run: the expected verdict was reached; another one was; or none.
enum class Agreement { agree, no, undecided };

/// The row that measures a claim (must outlive this), and its verdict.
struct MeasuredClaim {
  const ResultRow* row = nullptr;
  Decision decision = {};
};

/// One row of the table as text.
struct Finding {
  std::string id;
  std::string claim;   // a claim of the study, or a question of this project
  std::string source;  // source of the claim; empty for own questions
  std::string point;   // of a grid: "grpo.rate=0.0003"; else empty
  std::string here;    // the measurement in this run, with the verdict and the adjusted p-value
  Agreement agreement = Agreement::undecided;
  bool own = false;       // a question of this project: the text reads yes / no / undecided
  bool one_seed = false;  // the verdict is about this seed alone
  double margin = 0;
  std::vector<MeasuredClaim> measured = {};  // several for a claim about every slice of a kind
};

/// "agrees", "does not agree", "undecided" (or "yes", "no", "undecided" for own questions), and
/// after a verdict from one seed ", in this seed".
std::string agreement_text(const Finding& f);

/// A signed number of percentage points, "+4.2" or "−4.2" (with a real minus sign).
std::string signed_points(double share);

/// An interval in percentage points: "[1.3, 7.1]".
std::string points_interval(const ResultRow& r);

/// The interval of a difference for a reader: "[1.3, 7.1] points", "no spread, so no interval".
std::string interval_note(const ResultRow& r);

/// Looks up pooled rows (seed "all") and the values of single seeds; the rows must outlive it.
class ResultIndex {
 public:
  explicit ResultIndex(const std::vector<ResultRow>& rows);

  /// The first such row, or null.
  const ResultRow* find(const std::string& condition, const std::string& metric,
                        const std::string& split = "all", const std::string& format = "all",
                        const std::string& kind = "overall",
                        const std::string& slice = "all") const;

  /// The rows of all slices of a kind, by name.
  std::vector<const ResultRow*> find_all(const std::string& condition, const std::string& metric,
                                         const std::string& split, const std::string& format,
                                         const std::string& kind) const;

  /// The values of single seeds that belong to a pooled row.
  std::vector<double> seeds_of(const ResultRow& pooled) const;

 private:
  using Key =  // condition, metric, split, format, kind, slice
      std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;
  static Key key_of(const ResultRow& r);
  std::map<Key, const ResultRow*> index_;
  std::map<Key, std::vector<double>> seeds_;
};

/// The findings of the claims, in their order, from pooled rows; for results of a grid, of each
/// claim at each of its points. A claim about every slice of a
/// kind agrees if more than half of the measured slices reach the expected verdict, and is refuted
/// if at least half reach another one. A claim without a row counts in Holm's family as one
/// comparison with p = 1.
std::vector<Finding> decide_findings(const std::vector<ResultRow>& rows,
                                     const std::vector<Claim>& claims);

}  // namespace gaze::phyx
