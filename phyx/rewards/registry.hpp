// SPDX-License-Identifier: MIT
// Rewards by name, and weighted mixes of them.
//
//   const RewardMix mix{{{"accuracy", 1.0}, {"format", 0.5}}};
//   const MixScore s = score(mix, {problem, completion});   // s.total, s.parts[0], ...
//
// Add your own reward, or a built-in one with other settings, under a new name:
//   add_reward(make_attention_reward(last_layer_only, "attention_last"));
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// The names of all rewards, sorted.
std::vector<std::string> reward_names();

/// A reward by name; an unknown name is an Error that lists the known ones.
const Reward& reward(const std::string& name);

/// Adds a reward for the rest of the process. Throws Error if the name is taken.
void add_reward(Reward added);

/// A weighted sum of rewards: {{"accuracy", 1}, {"format", .5}}.
struct RewardMix {
  std::vector<std::pair<std::string, double>> terms;
};

/// The weighted sum, and each term's unweighted score. A term that is undefined for the input (no
/// trace, no picture) adds nothing and is empty in `parts`.
struct MixScore {
  double total = 0;
  std::vector<std::optional<double>> parts;
};

/// Scores an input; an unknown name is an Error.
MixScore score(const RewardMix& mix, const RewardInput& input);

}  // namespace gaze::phyx
