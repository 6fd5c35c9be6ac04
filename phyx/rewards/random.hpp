// SPDX-License-Identifier: MIT
// The random reward: a coin flip that ignores the response, a control for gains that any reward
// would bring (Shao et al. 2025, "Spurious rewards", arXiv 2506.10947).
#pragma once
#include <optional>

#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

struct RandomConfig {
  double probability = .5;  // of a 1
};

/// 1 or 0 by a counter-based draw on (seed, problem, sample): the same for every batch size and
/// after a resume. Empty outside a rollout, where there is no draw.
std::optional<double> random_score(const RewardInput& in, const RandomConfig& config = {});

/// The kind "random", with the option `probability`.
RewardKind random_kind();

}  // namespace gaze::phyx
