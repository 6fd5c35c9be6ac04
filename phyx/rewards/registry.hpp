// SPDX-License-Identifier: MIT
// Rewards by name, with options, and weighted mixes of them.
//
//   const RewardMix mix = mix_of({{"accuracy", 1.0}, {"format", 0.5}});
//   const MixScore s = score(mix, {problem, completion});   // s.total, s.parts[0], ...
//   const Reward last = make_reward("attention", {{"layers", {3}}});
//
// Add your own under a new name: add_reward(Reward), or add_reward(RewardKind) with options.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// The names of all kinds of reward, sorted.
std::vector<std::string> reward_names();

/// A kind by name; an unknown name is an Error that lists the known ones. Kinds are never removed
/// or replaced, so the reference stays valid.
const RewardKind& reward_kind(const std::string& name);

/// A reward with these options and the defaults of the others. If its kind made it with
/// `score_batch` alone, `score` calls that. Throws Error for an unknown name, an unknown option, a
/// wrong type, a value outside its range, and options that exclude each other.
Reward make_reward(const std::string& name, const io::Json& options = io::Json::object());

/// Adds a kind of reward for the rest of the process. Throws Error if the name is taken or is not
/// a plain one (is_plain_name): files of a run are called by it.
void add_reward(RewardKind added);

/// Adds a reward without options, with `score`, `score_batch` or both.
void add_reward(Reward added);

/// Options by the name of their reward; each value is an object.
using RewardOptions = std::map<std::string, io::Json>;

/// Every kind of reward without a required option, with these options and defaults.
std::vector<Reward> all_rewards(const RewardOptions& options = {});

/// Applies "NAME.KEY=VALUE" ("attention.cap=2", "attention.layers=[0,1]", "hybrid.mark=region").
/// VALUE is JSON, except that a text needs no quotes. Throws Error for a malformed assignment and
/// whenever check_options() would.
void set_reward_option(RewardOptions& options, const std::string& assignment);

struct RewardTerm {
  Reward reward;
  double weight = 1;
};

/// A weighted sum of rewards.
struct RewardMix {
  std::vector<RewardTerm> terms;

  /// The further answers that its terms need.
  RewardNeeds needs() const;
  /// Whether a term reads the attention and can be differentiated by it.
  bool has_attention_gradient() const;
};

/// A mix of rewards by name and weight, with options for some of them.
RewardMix mix_of(const std::vector<std::pair<std::string, double>>& weights,
                 const RewardOptions& options = {});

/// The weighted sum, and each term's unweighted score. A term that is undefined for the input (no
/// trace, no picture) adds nothing and is empty in `parts`.
struct MixScore {
  double total = 0;
  std::vector<std::optional<double>> parts;
};

/// Scores an input.
MixScore score(const RewardMix& mix, const RewardInput& input);

/// The derivative of the weighted sum with respect to the recorded attention, in the order of
/// AttentionTrace::mass; empty if it is 0.
std::vector<float> attention_gradient(const RewardMix& mix, const RewardInput& input);

/// Scores a batch by one reward, in order. Throws Error if it returns another number of scores, or
/// one that is not finite.
std::vector<std::optional<double>> score(const Reward& reward, std::span<const RewardInput> inputs);

/// Scores a batch, in order, with the same errors.
std::vector<MixScore> score(const RewardMix& mix, std::span<const RewardInput> inputs);

}  // namespace gaze::phyx
