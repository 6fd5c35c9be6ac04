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

/// Every row of `results.csv`. Rows with seed "all" pool the seeds; single seeds have rows on the
/// coarse slices, and differences to `sft` only. `n` counts problems (those with a readable answer
/// for accuracy_parsed_*). Differences are paired on the same problems and, where both conditions
/// have it, the same seed. Values are shares (0 to 1), but for `length` (tokens). Throws Error
/// where a run has a problem twice in one form, or a split is not known or new.
std::vector<ResultRow> summarise(const Outcomes& outcomes, const SummaryOptions& options = {});

}  // namespace gaze::phyx
