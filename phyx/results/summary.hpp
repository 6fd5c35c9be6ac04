// SPDX-License-Identifier: MIT
// From outcomes to `results.csv`: every metric of every condition and seed on every slice of the
// test problems, with 95 % intervals and paired differences to reference conditions.
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "phyx/results/claims.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/outcome.hpp"

namespace gaze::phyx {

/// Outcomes by (condition, seed).
using Outcomes = std::map<std::pair<std::string, std::int64_t>, std::vector<Outcome>>;

/// A metric whose difference to a condition is a row of its own: `<metric>_vs_<reference>`.
struct PairedMetric {
  std::string metric, reference;
  auto operator<=>(const PairedMetric&) const = default;
};

/// The differences of every table of the report; `start` is the warm start's condition.
std::vector<PairedMetric> default_pairs(const std::string& start);

struct SummaryOptions {
  std::vector<int> pass_at = {};   // k of pass@k; empty: 2, 4, 8, ... and the number of samples
  int small = 20;                  // shares on fewer scenes get Wilson's interval
  std::string start = "sft";       // the condition that is the warm start
  std::vector<Claim> claims = {};  // their differences are added to default_pairs()
};

/// Every row of `results.csv`. Rows with seed "all" pool the seeds; single seeds have no rows on
/// subfields and forms of a template, and differences only to the warm start. `n` counts problems
/// (for accuracy_parsed_* those with a readable answer). Differences are paired: only seeds and
/// problems that both conditions have, by seed and scene. The reference of a condition at a point
/// of a grid is the one at the same point (run_name.hpp). Problems of layout-only templates are in
/// the slices `layout_only` and `template` alone. Values are shares (0 to 1), except `length`
/// (tokens), look scores, rewards and correlations. Throws Error if a run contains a problem twice
/// in one form, or a split is not "known" or "new".
std::vector<ResultRow> summarise(const Outcomes& outcomes, const SummaryOptions& options = {});

}  // namespace gaze::phyx
