// SPDX-License-Identifier: MIT
// A condition of a study, as data: how it is trained, by which rewards, and with which settings.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/rewards/registry.hpp"

namespace gaze::phyx {

/// none: the warm start unchanged. sft: further supervised training on gold responses. rft:
/// supervised training on the warm start's own right answers (rejection sampling: Yuan et al. 2023,
/// arXiv 2308.01825). grpo: trained by rewards.
enum class Method { none, sft, rft, grpo };

inline const std::vector<std::string> method_names = {"none", "sft", "rft", "grpo"};

/// A term of the reward of a GRPO condition. `name` is its label in logs; `kind` the registered
/// reward.
struct RewardUse {
  std::string name, kind;
  double weight = 1;
  io::Json options = io::Json::object();
};

/// The training problems of a condition: those of the warm start, or those of [data] rl_templates.
enum class Pool { sft, rl };

inline const std::vector<std::string> pool_names = {"sft", "rl"};

struct Condition {
  std::string name, meaning;  // the meaning is for the report
  Method method = Method::none;
  std::optional<Pool> pool_set;      // empty: sft for method sft, else rl
  std::vector<RewardUse> rewards;    // of grpo
  std::vector<double> temperatures;  // further evaluations, besides that of [evaluation]
  /// Settings of the study that this condition changes, by name: {"grpo.kl": 0.1}.
  io::OrderedJson changes = io::OrderedJson::object();

  Pool pool() const { return pool_set.value_or(method == Method::sft ? Pool::sft : Pool::rl); }
};

/// The name under which test answers are scored by the reward: its kind, or "CONDITION.LABEL" if it
/// has options of its own.
std::string scored_name(const Condition& c, const RewardUse& use);

/// The rewards of a GRPO condition; its own options take precedence over the study's. Throws Error
/// for an unknown reward, and an unknown or invalid option.
RewardMix mix_of(const Condition& c, const RewardOptions& options);

/// The rewards by which the answers of every condition are scored after training, under their
/// scored_name(): all kinds that need no option, and those of the conditions.
std::vector<Reward> evaluated_rewards(const std::vector<Condition>& conditions,
                                      const RewardOptions& options);

}  // namespace gaze::phyx
