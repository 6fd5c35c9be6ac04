// SPDX-License-Identifier: MIT
// The built-in and added rewards, guarded by a mutex.
#include "phyx/rewards/registry.hpp"

#include <map>
#include <mutex>

#include "gaze/core/error.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/format.hpp"
#include "phyx/rewards/hybrid.hpp"
#include "phyx/rewards/rubric.hpp"

namespace gaze::phyx {

namespace {

/// Entries are never removed or replaced, so references stay valid.
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

}  // namespace

std::vector<std::string> reward_names() {
  auto& registry = Registry::get();
  const std::scoped_lock lock(registry.mutex);
  std::vector<std::string> out;
  for (const auto& entry : registry.rewards) out.push_back(entry.first);
  return out;
}

const Reward& reward(const std::string& name) {
  auto& registry = Registry::get();
  {
    const std::scoped_lock lock(registry.mutex);
    if (const auto it = registry.rewards.find(name); it != registry.rewards.end())
      return it->second;
  }
  std::string known;
  for (const auto& other : reward_names()) known += (known.empty() ? "" : ", ") + other;
  GAZE_FAIL("reward", "no reward is named '", name, "'; known: ", known);
}

void add_reward(Reward added) {
  GAZE_CHECK(!added.name.empty() && added.score, "add_reward", "needs a name and a score function");
  auto& registry = Registry::get();
  const std::scoped_lock lock(registry.mutex);
  const std::string name = added.name;
  const bool is_new = registry.rewards.emplace(name, std::move(added)).second;
  GAZE_CHECK(is_new, "add_reward", "'", name, "' exists already");
}

MixScore score(const RewardMix& mix, const RewardInput& input) {
  MixScore out;
  for (const auto& [name, weight] : mix.terms) {
    out.parts.push_back(reward(name).score(input));
    out.total += weight * out.parts.back().value_or(0);
  }
  return out;
}

}  // namespace gaze::phyx
