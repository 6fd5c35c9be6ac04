// SPDX-License-Identifier: MIT
// The format reward: 1 for a complete, well-formed response with some content, else 0.
#pragma once
#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// 1 if the completion ended before the length limit and consists of exactly one think and then one
/// answer element, each with at least one letter or digit; else 0.
double format_score(const RewardInput& in);

/// format_score as a reward, named "format".
Reward make_format_reward();

/// The kind "format", without options.
RewardKind format_kind();

}  // namespace gaze::phyx
