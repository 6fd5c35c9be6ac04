// SPDX-License-Identifier: MIT
// The folder of a study with a grid: the study file, the runs' subfolders, and a report on all.
#pragma once
#include <string>
#include <vector>

#include "phyx/study/study_file.hpp"

namespace gaze::phyx {

/// The settings that decide data and warm starts, and the paths of own data, as text: runs with
/// equal ones can share them.
std::string warm_start_key(const AblationSettings& s);

/// Creates `out` with study.toml. Throws Error if it contains unrelated files that would be
/// overwritten, a study that is not to be resumed, or one with another grid or with settings that
/// may not differ (check_resumable()). When a study is resumed with other conditions or seeds,
/// study.toml gets them all.
void prepare_grid_folder(const Study& study, const std::string& out, bool resume);

/// Writes results.csv and report.html of the finished runs to `out`.
void report_grid(const std::vector<std::string>& folders, const std::string& out);

}  // namespace gaze::phyx
