// SPDX-License-Identifier: MIT
// The combined logs and results of an ablation, from the folders of its arms.
#pragma once
#include <cstdint>
#include <vector>

#include "phyx/study/run_paths.hpp"

namespace gaze::phyx {

/// Writes metrics.jsonl, completions.jsonl, differing.jsonl and results.csv from the warm starts
/// and the finished arms of these seeds.
void collect_results(const RunPaths& at, const std::vector<std::int64_t>& seeds);

}  // namespace gaze::phyx
