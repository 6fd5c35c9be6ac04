// SPDX-License-Identifier: MIT
// The built-in and added kinds of reward, guarded by a mutex.
#include "phyx/rewards/registry.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <mutex>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "phyx/file_names.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/avar.hpp"
#include "phyx/rewards/contrast.hpp"
#include "phyx/rewards/exec_reward.hpp"
#include "phyx/rewards/format.hpp"
#include "phyx/rewards/hybrid.hpp"
#include "phyx/rewards/random.hpp"
#include "phyx/rewards/rubric.hpp"
#include "phyx/rewards/vision_sr1.hpp"

namespace gaze::phyx {

namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, RewardKind> kinds;

  Registry() {
    for (RewardKind k :
         {format_kind(), accuracy_kind(), rubric_kind(), attention_kind(), attention_region_kind(),
          raw_attention_kind(), hybrid_kind(), random_kind(), avar_kind(), vision_sr1_kind(),
          contrast_kind(), exec_kind()})
      kinds.emplace(k.name, k);
  }
  static Registry& get() {
    static Registry registry;
    return registry;
  }
};

/// The value of an assignment, as JSON of the option's type if it can be read so.
io::Json parse_value(const std::string& text, OptionType type, const std::string& source) {
  const bool quoted = !text.empty() && text.front() == '"';
  if (type == OptionType::text && !quoted) return text;
  return io::parse_json(text, source);
}

/// Scores an input by scoring a batch of one.
std::function<Reward::Score(const RewardInput&)> one_by_one(const Reward& reward) {
  return [name = reward.name, batch = reward.score_batch](const RewardInput& in) {
    const auto scores = batch(std::span(&in, 1));
    GAZE_CHECK(scores.size() == 1, "score", name, " returned ", scores.size(),
               " scores for 1 completion");
    return scores.front();
  };
}

}  // namespace

std::vector<std::string> reward_names() {
  auto& registry = Registry::get();
  const std::scoped_lock lock(registry.mutex);
  std::vector<std::string> out;
  for (const auto& entry : registry.kinds) out.push_back(entry.first);
  return out;
}

const RewardKind& reward_kind(const std::string& name) {
  auto& registry = Registry::get();
  {
    const std::scoped_lock lock(registry.mutex);
    if (const auto it = registry.kinds.find(name); it != registry.kinds.end()) return it->second;
  }
  std::string known;
  for (const auto& other : reward_names()) known += (known.empty() ? "" : ", ") + other;
  GAZE_FAIL("reward", "no reward is named '", printable(name, kShownBytes), "'; known: ", known);
}

Reward make_reward(const std::string& name, const io::Json& options) {
  const RewardKind& kind = reward_kind(name);
  io::Json settled = settle_options(name, kind.options, options);
  if (kind.check) kind.check(options);
  Reward out = kind.make(settled);
  GAZE_CHECK(out.score || out.score_batch, "reward", name, " has no function");
  if (!out.score) out.score = one_by_one(out);
  out.options = std::move(settled);
  return out;
}

std::vector<Reward> all_rewards(const RewardOptions& options) {
  std::vector<Reward> out;
  for (const auto& name : reward_names()) {
    if (!reward_kind(name).has_defaults()) continue;
    const auto given = options.find(name);
    out.push_back(given == options.end() ? make_reward(name) : make_reward(name, given->second));
  }
  return out;
}

void add_reward(RewardKind added) {
  GAZE_CHECK(is_plain_name(added.name), "add_reward", "a reward named '",
             printable(added.name, kShownBytes), "'; names consist of 1 to ", longest_name,
             " letters, digits, - and _");
  GAZE_CHECK(added.make, "add_reward", added.name, " needs a function");
  auto& registry = Registry::get();
  const std::scoped_lock lock(registry.mutex);
  const std::string name = added.name;
  const bool is_new = registry.kinds.emplace(name, std::move(added)).second;
  GAZE_CHECK(is_new, "add_reward", "'", name, "' exists already");
}

void add_reward(Reward added) {
  GAZE_CHECK(added.score || added.score_batch, "add_reward", "'",
             printable(added.name, kShownBytes), "' needs a function");
  RewardKind kind{added.name, added.doc, added.formula, added.cheats, added.low, added.high,
                  {},         {}};
  kind.make = [reward = std::move(added)](const io::Json&) { return reward; };
  add_reward(std::move(kind));
}

void set_reward_option(RewardOptions& options, const std::string& assignment) {
  const std::string shown = printable(assignment, kShownBytes);
  const std::size_t equal = assignment.find('='), dot = assignment.find('.');
  GAZE_CHECK(equal != std::string::npos && dot < equal, "reward_option", "'", shown,
             "' is not NAME.KEY=VALUE");
  const std::string name = assignment.substr(0, dot);
  const std::string key = assignment.substr(dot + 1, equal - dot - 1);
  const RewardKind& kind = reward_kind(name);
  const auto option = std::find_if(kind.options.begin(), kind.options.end(),
                                   [&](const RewardOption& o) { return o.name == key; });
  const bool known = option != kind.options.end();
  io::Json given = options.contains(name) ? options[name] : io::Json::object();
  given[key] = known ? parse_value(assignment.substr(equal + 1), option->type, shown) : io::Json();
  check_options(name, kind.options, given);
  options[name] = std::move(given);
}

RewardNeeds RewardMix::needs() const {
  RewardNeeds out;
  for (const RewardTerm& term : terms) out |= term.reward.needs;
  return out;
}

RewardMix mix_of(const std::vector<std::pair<std::string, double>>& weights,
                 const RewardOptions& options) {
  RewardMix mix;
  for (const auto& [name, weight] : weights) {
    const auto own = options.find(name);
    mix.terms.push_back(
        {own == options.end() ? make_reward(name) : make_reward(name, own->second), weight});
  }
  return mix;
}

MixScore score(const RewardMix& mix, const RewardInput& input) {
  return score(mix, std::span(&input, 1)).front();
}

bool RewardMix::has_attention_gradient() const {
  return std::any_of(terms.begin(), terms.end(), [](const RewardTerm& term) {
    return term.weight != 0 && static_cast<bool>(term.reward.attention_gradient);
  });
}

std::vector<float> attention_gradient(const RewardMix& mix, const RewardInput& input) {
  std::vector<float> out;
  for (const RewardTerm& term : mix.terms) {
    if (!term.reward.attention_gradient) continue;
    const std::vector<float> own = term.reward.attention_gradient(input);
    GAZE_CHECK(std::all_of(own.begin(), own.end(), [](float x) { return std::isfinite(x); }),
               "score", term.reward.name, ": a gradient by the attention is not finite");
    if (out.size() < own.size()) out.resize(own.size(), 0.0f);
    for (std::size_t i = 0; i < own.size(); ++i)
      out[i] += static_cast<float>(term.weight * static_cast<double>(own[i]));
  }
  return out;
}

std::vector<std::optional<double>> score(const Reward& reward,
                                         std::span<const RewardInput> inputs) {
  std::vector<std::optional<double>> scores;
  if (reward.score_batch)
    scores = reward.score_batch(inputs);
  else
    for (const RewardInput& input : inputs) scores.push_back(reward.score(input));
  GAZE_CHECK(scores.size() == inputs.size(), "score", reward.name, " returned ", scores.size(),
             " scores for ", inputs.size(), " completions");
  for (std::size_t i = 0; i < scores.size(); ++i)
    GAZE_CHECK(std::isfinite(scores[i].value_or(0)), "score", reward.name, " returned ", *scores[i],
               " for completion ", i + 1, " of ", scores.size());
  return scores;
}

std::vector<MixScore> score(const RewardMix& mix, std::span<const RewardInput> inputs) {
  std::vector<MixScore> out(inputs.size());
  for (const RewardTerm& term : mix.terms) {
    const auto scores = score(term.reward, inputs);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      out[i].parts.push_back(scores[i]);
      out[i].total += term.weight * scores[i].value_or(0);
    }
  }
  return out;
}

}  // namespace gaze::phyx
