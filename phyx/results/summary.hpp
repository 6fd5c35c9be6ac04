// SPDX-License-Identifier: MIT
// From outcomes to `results.csv`: every metric of every condition and seed on every slice of the
// test problems, with 95 % intervals and paired differences to reference conditions.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "phyx/results/csv.hpp"
#include "phyx/results/outcome.hpp"

namespace gaze::phyx {

/// Outcomes by (condition, seed).
using Outcomes = std::map<std::pair<std::string, std::int64_t>, std::vector<Outcome>>;

struct SummaryOptions {
  int resamples = 1000;
  std::uint64_t seed = 1;
  int small = 20;  // proportions on fewer problems get Wilson's interval
};

/// Every row of `results.csv`. Rows with seed "all" pool the seeds; single seeds have rows only on
/// coarse slices, and differences only to `sft`. `n` counts problems (for accuracy_parsed_* those
/// with a readable answer). Differences are paired by problem and, if both conditions have it, by
/// seed. Values are shares (0 to 1), except `length` (tokens). Throws Error if a run contains a
/// problem twice in one form, or a split is not "known" or "new".
std::vector<ResultRow> summarise(const Outcomes& outcomes, const SummaryOptions& options = {});

}  // namespace gaze::phyx
