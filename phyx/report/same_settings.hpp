// SPDX-License-Identifier: MIT
// Checks that runs in one report have the same settings, so that their results can be pooled.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/json.hpp"

namespace gaze::phyx::report {

/// Largest configuration file of a run, in bytes.
inline constexpr std::size_t largest_config = std::size_t{1} << 20;

/// Throws Error for configurations (config.json of a run, eval.json of an evaluation) that differ
/// in an entry that affects results and that is not set by the grid of the study, and if only some
/// folders have a configuration.
void check_same_settings(const std::vector<std::string>& folders,
                         const std::vector<std::vector<std::string>>& configs);

/// The values that the study's grid sets in a run, by path; empty if there is none.
io::Json grid_of(const io::Json& config);

/// What distinguishes the runs of a grid: ", grpo.rate=0.0003", to be appended to the names of
/// their conditions.
class GridLabels {
 public:
  /// `configs`: the folder and content of every config.json.
  explicit GridLabels(const std::vector<std::pair<std::string, io::Json>>& configs);

  /// The label of a file, by the innermost folder with a configuration; "" if there is none.
  std::string operator()(const std::string& path) const;

 private:
  std::map<std::string, std::string> labels_;
};

}  // namespace gaze::phyx::report
