// SPDX-License-Identifier: MIT
// What an ablation's folder says as a whole, from what is in the arms' folders.
#pragma once
#include <cstdint>
#include <vector>

#include "phyx/study/run_paths.hpp"

namespace gaze::phyx {

/// Writes metrics.jsonl, completions.jsonl, differing.jsonl and results.csv from the warm starts
/// and the finished arms of these seeds.
void collect_results(const RunPaths& at, const std::vector<std::int64_t>& seeds);

}  // namespace gaze::phyx
