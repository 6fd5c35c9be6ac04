// SPDX-License-Identifier: MIT
// The combined logs and results of an ablation, from the folders of its arms.
#pragma once
#include "phyx/study/run_paths.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::phyx {

/// Writes metrics.jsonl, completions.jsonl, differing.jsonl and results.csv from the warm starts
/// and the finished arms in the folder: those of the run's seeds and conditions, and of other seeds
/// and conditions that were run in it earlier. Seeds are in ascending order. Evaluations at further
/// temperatures appear as conditions of their own, NAME@TEMPERATURE.
void collect_results(const RunPaths& at, const AblationSettings& settings);

}  // namespace gaze::phyx
