// SPDX-License-Identifier: MIT
// Checks that runs in one report have the same settings, so that their results can be pooled.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace gaze::phyx::report {

/// Largest configuration file of a run, in bytes.
inline constexpr std::size_t largest_config = std::size_t{1} << 20;

/// Throws Error for configurations (config.json of a run, eval.json of an evaluation) that differ
/// in an entry that affects results, and if only some folders have a configuration.
void check_same_settings(const std::vector<std::string>& folders,
                         const std::vector<std::vector<std::string>>& configs);

}  // namespace gaze::phyx::report
