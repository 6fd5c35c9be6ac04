// SPDX-License-Identifier: MIT
// Rewards by name, and mixes of them: what an ablation's configuration file can say.
//
//   const RewardMix mix{{{"accuracy", 1.0}, {"format", 0.5}}};
//   const MixScore s = score(mix, {problem, completion});   // s.total, s.parts[0], ...
//
// One's own reward, or a built-in one with other settings, is added under a new name:
//   add_reward(make_attention_reward(last_layer_only, "attention_last"));
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// The names that reward() knows, sorted.
std::vector<std::string> reward_names();

/// A reward by name; an unknown name is an Error that lists the known ones.
const Reward& reward(const std::string& name);

/// Adds a reward under a name that is still free; any other name is an Error. A reward stays until
/// the program ends.
void add_reward(Reward added);

/// A weighted sum of rewards: {{"accuracy", 1}, {"format", .5}}.
struct RewardMix {
  std::vector<std::pair<std::string, double>> terms;
};

/// The sum, and each term's own score before its weight. A term without meaning for the input
/// (no trace, no picture) adds nothing and is empty in `parts`.
struct MixScore {
  double total = 0;
  std::vector<std::optional<double>> parts;
};

/// The mix of an input; a name that no reward has is an Error.
MixScore score(const RewardMix& mix, const RewardInput& input);

}  // namespace gaze::phyx
