// SPDX-License-Identifier: MIT
// The batch of a GRPO step: completions sampled in groups, their rewards and advantages.
#pragma once
#include "gaze/core/philox.hpp"
#include "gaze/generate/rollout.hpp"
#include "gaze/rl/corrections.hpp"
#include "gaze/rl/grpo_settings.hpp"
#include "gaze/rl/task.hpp"

namespace gaze::rl {

/// A rollout with its rewards: what the updates of a step learn from.
template <class Policy>
struct GrpoBatch {
  std::vector<TaskPrompt<Policy>> prompts;
  std::vector<SampledTokens> completions;  // `group` per prompt, prompt by prompt
  RewardTable rewards;
  Advantages advantages;
  /// Log-probabilities per token of all completions, where needed: of the reference, and of the
  /// policy before the first update (with an importance correction; else the rollout's are used).
  std::vector<float> ref, old;
  std::vector<std::vector<float>> attention_gradients;  // of Task; empty without `pathwise`

  /// Tokens of all completions.
  double tokens() const {
    double sum = 0;
    for (const auto& c : completions) sum += static_cast<double>(c.tokens.size());
    return sum;
  }
};

/// The number of tokens of each completion.
inline std::vector<Index> lengths_of(std::span<const SampledTokens> completions) {
  std::vector<Index> out;
  for (const auto& c : completions) out.push_back(static_cast<Index>(c.tokens.size()));
  return out;
}

/// The task's rewards as a table; adds mean and deviation of each named reward function to the
/// metrics.
template <class Policy>
RewardTable score_completions(const Task<Policy>& task, Index step,
                              std::span<const TaskPrompt<Policy>> prompts,
                              std::span<const SampledTokens> completions, Metrics& metrics) {
  RewardTable out;
  if (task.table)
    out = task.table(step, prompts, completions, metrics);
  else
    for (const double r : task.score(step, prompts, completions, metrics)) out.rows.push_back({r});
  GAZE_CHECK(out.rows.size() == completions.size(), "grpo", "the task returned ", out.rows.size(),
             " rewards for ", completions.size(), " completions");
  for (std::size_t k = 0; k < out.names.size(); ++k) {
    const auto all = detail::mean_deviation(detail::column(out, k));
    metrics.emplace_back("rewards/" + out.names[k] + "/mean", all.mean);
    metrics.emplace_back("rewards/" + out.names[k] + "/std", all.deviation);
  }
  return out;
}

/// One rollout of up to `count` prompts, scored.
template <class Policy>
GrpoBatch<Policy> roll_out(const Policy& policy, const GrpoSettings& s, const Task<Policy>& task,
                           const EndTokens& ends, Index step, Index round, Index count, auto watch,
                           Metrics& metrics) {
  GrpoBatch<Policy> out;
  out.prompts = task.prompts(step, round, count);
  GAZE_CHECK(!out.prompts.empty(), "grpo", "the task returned no prompts at step ", step);
  std::vector<const typename Policy::Prompt*> prompts;
  std::vector<std::uint64_t> ids;
  for (const auto& p : out.prompts) {
    prompts.push_back(p.prompt);
    ids.push_back(p.id);
  }
  out.completions =
      rollout(policy, std::span<const typename Policy::Prompt* const>(prompts), s.group, s.sampling,
              ends, Philox(s.seed, Purpose::sampling), ids, watch);
  out.rewards = score_completions<Policy>(task, step, out.prompts, out.completions, metrics);
  out.advantages = advantages(out.rewards, s.group, s.advantage, lengths_of(out.completions));
  return out;
}

/// The scored batch of a step. Groups whose rewards are all equal are replaced by new ones, in up
/// to `resample` further rounds (dynamic sampling, DAPO: Yu et al. 2025).
template <class Policy>
GrpoBatch<Policy> collect_batch(const Policy& policy, const GrpoSettings& s,
                                const Task<Policy>& task, const EndTokens& ends, Index step,
                                auto watch, Metrics& metrics) {
  const auto g = static_cast<std::size_t>(s.group);
  GrpoBatch<Policy> out;
  double sampled = 0, flat = 0;
  for (Index round = 0; round <= s.resample; ++round) {
    const Index missing = s.prompts - static_cast<Index>(out.prompts.size());
    if (missing <= 0) break;
    Metrics task_metrics;
    auto b = roll_out(policy, s, task, ends, step, round, missing, watch, task_metrics);
    if (round == 0) metrics.insert(metrics.end(), task_metrics.begin(), task_metrics.end());
    out.rewards.names = b.rewards.names;
    out.rewards.weights = b.rewards.weights;
    for (std::size_t i = 0; i < b.prompts.size(); ++i) {
      sampled += 1;
      flat += b.advantages.zero_std[i];
      if (b.advantages.zero_std[i] && round < s.resample) continue;
      out.prompts.push_back(b.prompts[i]);
      for (std::size_t j = i * g; j < (i + 1) * g; ++j) {
        out.completions.push_back(std::move(b.completions[j]));
        out.rewards.rows.push_back(std::move(b.rewards.rows[j]));
      }
    }
  }
  metrics.emplace_back("frac_reward_zero_std", flat / sampled);
  return out;
}

/// The loss inputs of groups [begin, end), which stay the same in every update.
template <class Policy>
LossInputs loss_inputs(const GrpoBatch<Policy>& batch, const GrpoSettings& s, std::size_t begin,
                       std::size_t end) {
  const auto g = static_cast<std::size_t>(s.group);
  LossInputs in;
  std::size_t first = 0;
  for (std::size_t j = 0; j < end * g; ++j) {
    const SampledTokens& c = batch.completions[j];
    if (j < begin * g) {
      first += c.tokens.size();
      continue;
    }
    in.lengths.push_back(static_cast<Index>(c.tokens.size()));
    in.truncated.push_back(!c.ended);
    if (batch.advantages.tokens.empty()) in.advantages.push_back(batch.advantages.values[j]);
    in.old.insert(in.old.end(), c.logp.begin(), c.logp.end());
  }
  const std::size_t tokens = in.old.size();
  const auto part = [&](const auto& all, std::vector<double>& to) {
    if (all.empty()) return;
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(first);
    to.assign(from, from + static_cast<std::ptrdiff_t>(tokens));
  };
  part(batch.advantages.tokens, in.advantages);
  part(batch.ref, in.ref);
  if (!batch.old.empty()) in.sampling = in.old;
  part(batch.old, in.old);
  return in;
}

/// Adds the rewards that need lengths or the reference, then computes the advantages.
template <class Policy>
void finish_rewards(GrpoBatch<Policy>& batch, const GrpoSettings& s) {
  if (s.overlong_cache > 0) {
    std::vector<double> punishment;
    for (const auto& c : batch.completions)
      punishment.push_back(overlong_punishment(static_cast<Index>(c.tokens.size()),
                                               s.sampling.max_tokens, s.overlong_cache));
    add_reward(batch.rewards, "overlong", punishment);
  }
  batch.advantages.values.resize(batch.completions.size());  // loss_inputs() below copies them
  if (s.kl_in_reward != 0) {
    auto kl =
        completion_kl(loss_inputs(batch, s, 0, batch.prompts.size()), s.loss, s.reward_estimator);
    for (double& x : kl) x *= -s.kl_in_reward;
    add_reward(batch.rewards, "kl", kl);
  }
  batch.advantages = advantages(batch.rewards, s.group, s.advantage, lengths_of(batch.completions));
}

}  // namespace gaze::rl
