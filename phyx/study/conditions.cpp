// SPDX-License-Identifier: MIT
// Reward mixes from their descriptions.
#include "phyx/study/conditions.hpp"

#include <algorithm>

namespace gaze::phyx {

namespace {

Reward reward_of(const RewardUse& use, const RewardOptions& options) {
  const auto shared = options.find(use.kind);
  io::Json own = shared == options.end() ? io::Json::object() : shared->second;
  own.update(use.options);
  return make_reward(use.kind, own);
}

}  // namespace

std::string scored_name(const Condition& c, const RewardUse& use) {
  return use.options.empty() ? use.kind : c.name + "." + use.name;
}

std::vector<Reward> evaluated_rewards(const std::vector<Condition>& conditions,
                                      const RewardOptions& options) {
  std::vector<Reward> out = all_rewards(options);
  for (const Condition& c : conditions)
    for (const RewardUse& use : c.rewards) {
      const std::string name = scored_name(c, use);
      const auto same = [&](const Reward& r) { return r.name == name; };
      if (std::any_of(out.begin(), out.end(), same)) continue;
      out.push_back(reward_of(use, options));
      out.back().name = name;
    }
  return out;
}

RewardMix mix_of(const Condition& c, const RewardOptions& options) {
  RewardMix mix;
  for (const RewardUse& use : c.rewards) {
    RewardTerm& term = mix.terms.emplace_back(RewardTerm{reward_of(use, options), use.weight});
    term.reward.name = use.name;
  }
  return mix;
}

}  // namespace gaze::phyx
