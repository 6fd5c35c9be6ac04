// SPDX-License-Identifier: MIT
// Reward mixes from their descriptions.
#include "phyx/study/conditions.hpp"

#include "gaze/core/error.hpp"

namespace gaze::phyx {

RewardMix mix_of(const Condition& c) {
  RewardMix mix;
  for (const RewardUse& use : c.rewards) {
    reward(use.kind);
    GAZE_CHECK(use.kind == use.name && use.options.empty(), "study", "condition ", c.name,
               ", reward ", use.name, ": ", use.kind, " has no options");
    mix.terms.emplace_back(use.name, use.weight);
  }
  return mix;
}

}  // namespace gaze::phyx
