// SPDX-License-Identifier: MIT
// Correctness within groups of samples of one prompt.
#pragma once
#include <cstddef>
#include <optional>
#include <span>

namespace gaze::phyx {

struct GroupReport {
  double all_right = 0, all_wrong = 0;       // shares of the groups
  std::optional<double> reward_correctness;  // mean over the groups where it is defined
};

/// Of samples in groups of `group`, one after another: `rewards` (NaN: unknown) and `correct` (0 or
/// 1). The correlation of reward and correctness is Pearson's within each group, so that easy
/// prompts with high rewards do not count for it. Throws Error if the sizes differ or are no
/// multiple of `group`.
GroupReport group_report(std::span<const double> rewards, std::span<const double> correct,
                         std::size_t group);

}  // namespace gaze::phyx
