// SPDX-License-Identifier: MIT
// Metrics of a step's groups by the correctness of their answers, whatever the reward: how many
// groups still have something to teach, and whether a reward tells right answers from wrong ones.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "gaze/train/loop.hpp"
#include "phyx/rewards/registry.hpp"

namespace gaze::phyx {

/// Pearson's correlation of two scores within groups: both are centred in each group of `group`
/// values, then all groups are pooled. NaN scores are left out, with their partner. NaN if
/// either score varies within no group. Throws Error for sizes that do not match.
double correlation_within_groups(std::span<const double> x, std::span<const double> y,
                                 std::size_t group);

/// Appends, for completions in groups of `group` and `right` (1 or 0 each):
///   groups/all_right, groups/all_wrong    shares of groups
///   correlation/reward, correlation/NAME  within groups, of correctness with the total and with
///                                         each term; omitted where undefined
void add_correctness_metrics(std::span<const double> right, std::size_t group,
                             std::span<const MixScore> scores,
                             const std::vector<std::string>& names, Metrics& metrics);

}  // namespace gaze::phyx
