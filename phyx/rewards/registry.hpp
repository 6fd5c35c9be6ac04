// SPDX-License-Identifier: MIT
// Rewards by name, and mixes of them: what an ablation's configuration file can say.
//
//   const RewardMix mix{{{"accuracy", 1.0}, {"format", 0.5}}};
//   const MixScore s = score(mix, {problem, completion});   // s.total, s.parts[0], ...
//
// One's own reward, or a built-in one with other settings, is added under a new name:
//   add_reward(make_attention_reward(last_layer_only, "attention_last"));
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/format.hpp"
#include "phyx/rewards/hybrid.hpp"
#include "phyx/rewards/reward.hpp"
#include "phyx/rewards/rubric.hpp"

namespace gaze::phyx {
namespace registry_detail {

/// Entries are never removed or replaced, so a reference to one stays good.
struct Registry {
  std::mutex mutex;
  std::map<std::string, Reward> rewards;

  Registry() {
    for (Reward r : {make_format_reward(), make_accuracy_reward(), make_rubric_reward(),
                     make_attention_reward(), make_raw_attention_reward(), make_hybrid_reward()})
      rewards.emplace(r.name, r);
  }
  static Registry& get() {
    static Registry registry;
    return registry;
  }
};

}  // namespace registry_detail

/// The names that reward() knows, sorted.
inline std::vector<std::string> reward_names() {
  auto& registry = registry_detail::Registry::get();
  const std::scoped_lock lock(registry.mutex);
  std::vector<std::string> out;
  for (const auto& entry : registry.rewards) out.push_back(entry.first);
  return out;
}

/// A reward by name; an unknown name is an Error that lists the known ones.
inline const Reward& reward(const std::string& name) {
  auto& registry = registry_detail::Registry::get();
  {
    const std::scoped_lock lock(registry.mutex);
    if (const auto it = registry.rewards.find(name); it != registry.rewards.end())
      return it->second;
  }
  std::string known;
  for (const auto& other : reward_names()) known += (known.empty() ? "" : ", ") + other;
  GAZE_FAIL("reward", "no reward is named '", name, "'; known: ", known);
}

/// Adds a reward under a name that is still free.
inline void add_reward(Reward added) {
  GAZE_CHECK(!added.name.empty() && added.score, "add_reward", "needs a name and a score function");
  auto& registry = registry_detail::Registry::get();
  const std::scoped_lock lock(registry.mutex);
  const std::string name = added.name;
  const bool is_new = registry.rewards.emplace(name, std::move(added)).second;
  GAZE_CHECK(is_new, "add_reward", "'", name, "' exists already");
}

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

inline MixScore score(const RewardMix& mix, const RewardInput& input) {
  MixScore out;
  for (const auto& [name, weight] : mix.terms) {
    out.parts.push_back(reward(name).score(input));
    out.total += weight * out.parts.back().value_or(0);
  }
  return out;
}

}  // namespace gaze::phyx
