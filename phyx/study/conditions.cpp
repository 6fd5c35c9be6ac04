// SPDX-License-Identifier: MIT
// Reward mixes from their descriptions.
#include "phyx/study/conditions.hpp"

namespace gaze::phyx {

RewardMix mix_of(const Condition& c, const RewardOptions& options) {
  RewardMix mix;
  for (const RewardUse& use : c.rewards) {
    const auto shared = options.find(use.kind);
    io::Json own = shared == options.end() ? io::Json::object() : shared->second;
    own.update(use.options);
    RewardTerm& term = mix.terms.emplace_back(RewardTerm{make_reward(use.kind, own), use.weight});
    term.reward.name = use.name;
  }
  return mix;
}

}  // namespace gaze::phyx
