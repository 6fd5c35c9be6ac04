// SPDX-License-Identifier: MIT
// The format reward: 1 for a complete, well-formed response that says something, else 0.
#pragma once
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// Exactly one think and then exactly one answer element, each with at least one letter or digit,
/// nothing around them, and the completion ended by itself.
double format_score(const Completion& completion);

/// format_score as a reward, named "format".
Reward make_format_reward();

}  // namespace gaze::phyx
