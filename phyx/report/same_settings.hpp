// SPDX-License-Identifier: MIT
// Runs that are reported together were made with the same settings: only then does pooling their
// results, under the configuration of the first, mean anything.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace gaze::phyx::report {

/// What a configuration file of a run may have at most, in bytes.
inline constexpr std::size_t largest_config = std::size_t{1} << 20;

/// Refuses configurations (config.json of a run, eval.json of an evaluation) that differ in what
/// decides results, naming the first entry; and folders without one beside others that have one.
void check_same_settings(const std::vector<std::string>& folders,
                         const std::vector<std::vector<std::string>>& configs);

}  // namespace gaze::phyx::report
