// SPDX-License-Identifier: MIT
// Group relative policy optimisation (Shao et al. 2024): sample a group of completions per prompt,
// score them, and raise the log-probability of those that are better than their group.
//
// It knows a policy (prefill, decode, logprobs; see models/vlm.hpp) and a task that gives prompts
// and rewards; nothing of images, physics or any one model.
#pragma once
#include <functional>

#include "gaze/generate/rollout.hpp"
#include "gaze/rl/variants.hpp"
#include "gaze/train/loop.hpp"

namespace gaze::rl {

struct GrpoSettings {
  Index prompts = 12, group = 8;
  SamplingSettings sampling;
  AdvantageSettings advantage;
  LossSettings loss;
  Index updates = 1;                 // optimiser steps on one rollout
  Index groups_per_micro = 1 << 20;  // groups per forward and backward; smaller needs less memory
  Index resample = 0;                // rounds in which groups without spread are replaced
  std::uint64_t seed = 0;

  /// Sets the axes a named variant decides.
  void apply(const Variant& v) {
    advantage.spread = v.spread;
    loss.ratio = v.ratio;
    loss.clip_low = v.clip_low;
    loss.clip_high = v.clip_high;
    loss.aggregation = v.aggregation;
    loss.mask_truncated = v.mask_truncated;
    if (v.resample_zero_spread && resample == 0) resample = 3;
  }
  void check() const {
    sampling.check();
    GAZE_CHECK(prompts > 0, "grpo", "prompts must be above 0, got ", prompts);
    GAZE_CHECK(group >= 2, "grpo", "the group must be at least 2, got ", group);
    GAZE_CHECK(updates > 0 && groups_per_micro > 0, "grpo", "updates ", updates,
               ", groups per micro-batch ", groups_per_micro);
    GAZE_CHECK(!sampling.greedy, "grpo", "greedy completions of a group are all the same");
  }
};

/// A prompt with an identity: its random numbers are drawn by it.
template <class Policy>
struct TaskPrompt {
  const typename Policy::Prompt* prompt = nullptr;
  std::uint64_t id = 0;   // unique per rollout
  std::size_t index = 0;  // the task's own
};

/// What is trained on. `score` gives a reward per completion (prompt by prompt) and may append to
/// the metrics.
template <class Policy>
struct Task {
  std::function<std::vector<TaskPrompt<Policy>>(Index step, Index round, Index count)> prompts;
  std::function<std::vector<double>(Index step, std::span<const TaskPrompt<Policy>>,
                                    std::span<const Completion>, Metrics&)>
      score;
};

namespace detail {

template <class Policy>
struct Batch {
  std::vector<TaskPrompt<Policy>> prompts;
  std::vector<Completion> completions;
  std::vector<double> rewards;
  Advantages advantages;
};

/// One rollout, scored. Groups without spread are replaced by fresh ones while rounds last.
template <class Policy>
Batch<Policy> collect(const Policy& policy, const GrpoSettings& s, const Task<Policy>& task,
                      std::int32_t end, Index step, auto watch, Metrics& metrics) {
  const Philox random(s.seed, Purpose::sampling);
  const auto g = static_cast<std::size_t>(s.group);
  Batch<Policy> out;
  double drawn = 0, flat = 0;
  for (Index round = 0; round <= s.resample; ++round) {
    const Index wanted = s.prompts - static_cast<Index>(out.prompts.size());
    if (wanted <= 0) break;
    Batch<Policy> b;
    b.prompts = task.prompts(step, round, wanted);
    GAZE_CHECK(!b.prompts.empty(), "grpo", "the task gave no prompts at step ", step);
    std::vector<const typename Policy::Prompt*> prompts;
    std::vector<std::uint64_t> ids;
    for (const auto& p : b.prompts) {
      prompts.push_back(p.prompt);
      ids.push_back(p.id);
    }
    b.completions = rollout(policy, std::span<const typename Policy::Prompt* const>(prompts),
                            s.group, s.sampling, end, random, ids, watch);
    Metrics parts;
    b.rewards = task.score(step, b.prompts, b.completions, parts);
    GAZE_CHECK(b.rewards.size() == b.completions.size(), "grpo", "the task gave ", b.rewards.size(),
               " rewards for ", b.completions.size(), " completions");
    if (round == 0) metrics.insert(metrics.end(), parts.begin(), parts.end());
    b.advantages = advantages(b.rewards, s.group, s.advantage);
    const bool last = round == s.resample;
    for (std::size_t i = 0; i < b.prompts.size(); ++i) {
      drawn += 1;
      flat += b.advantages.zero_spread[i];
      if (b.advantages.zero_spread[i] && !last) continue;
      out.prompts.push_back(b.prompts[i]);
      for (std::size_t j = i * g; j < (i + 1) * g; ++j) {
        out.completions.push_back(std::move(b.completions[j]));
        out.rewards.push_back(b.rewards[j]);
      }
    }
  }
  out.advantages = advantages(out.rewards, s.group, s.advantage);
  metrics.emplace_back("frac_reward_zero_std", flat / drawn);
  return out;
}

/// Log-probabilities under a frozen reference, completion by completion.
template <class Policy>
std::vector<float> reference_logp(const Policy& reference, const Batch<Policy>& batch,
                                  const GrpoSettings& s) {
  const NoGrad no_grad;
  std::vector<float> out;
  const auto g = static_cast<std::size_t>(s.group);
  for (std::size_t i = 0; i < batch.prompts.size(); ++i) {
    typename Policy::Group group{batch.prompts[i].prompt, {}};
    for (std::size_t j = i * g; j < (i + 1) * g; ++j)
      group.completions.push_back(batch.completions[j].tokens);
    const auto y = reference.logprobs(std::span<const typename Policy::Group>(&group, 1),
                                      static_cast<float>(s.sampling.temperature));
    const auto values = y.logp.to_vector();
    out.insert(out.end(), values.begin(), values.end());
  }
  return out;
}

/// Loss and gradients of groups [begin, end) of the batch.
template <class Policy>
void micro_batch(const Policy& policy, const Batch<Policy>& batch, const GrpoSettings& s,
                 const LossTotals& totals, const std::vector<float>& ref, std::size_t begin,
                 std::size_t end, std::size_t& token, LossMetrics& loss_metrics, double& loss,
                 double& entropy) {
  const auto g = static_cast<std::size_t>(s.group);
  std::vector<typename Policy::Group> groups;
  LossInputs in;
  for (std::size_t i = begin; i < end; ++i) {
    groups.push_back({batch.prompts[i].prompt, {}});
    for (std::size_t j = i * g; j < (i + 1) * g; ++j) {
      const Completion& c = batch.completions[j];
      groups.back().completions.push_back(c.tokens);
      in.lengths.push_back(static_cast<Index>(c.tokens.size()));
      in.advantages.push_back(batch.advantages.values[j]);
      in.truncated.push_back(!c.ended);
      in.old.insert(in.old.end(), c.logp.begin(), c.logp.end());
    }
  }
  if (!ref.empty()) {
    const auto from = ref.begin() + static_cast<std::ptrdiff_t>(token);
    in.ref.assign(from, from + static_cast<std::ptrdiff_t>(in.old.size()));
  }
  token += in.old.size();
  const auto y = policy.logprobs(groups, static_cast<float>(s.sampling.temperature));
  const auto value = policy_loss(y.logp, in, s.loss, totals, &loss_metrics);
  loss += value.item();
  entropy += mean(y.entropy.detach()).item() * static_cast<double>(in.old.size());
  backward(value);
}

template <class Policy>
void report(const Batch<Policy>& batch, Metrics& m) {
  double reward = 0, length = 0, ended_length = 0, ended = 0;
  for (const double r : batch.rewards) reward += r;
  for (const auto& c : batch.completions) {
    length += static_cast<double>(c.tokens.size());
    ended += c.ended;
    if (c.ended) ended_length += static_cast<double>(c.tokens.size());
  }
  const double n = static_cast<double>(batch.completions.size());
  m.emplace_back("reward", reward / n);
  m.emplace_back("reward_std", batch.advantages.mean_spread);
  m.emplace_back("completions/mean_length", length / n);
  m.emplace_back("completions/mean_terminated_length", ended > 0 ? ended_length / ended : 0);
  m.emplace_back("completions/clipped_ratio", 1 - ended / n);
  m.emplace_back("num_tokens", length);
}

}  // namespace detail

/// One GRPO step: rollout, rewards, advantages, and the gradients of its updates. `reference` is
/// only needed with a KL term. Metrics carry TRL's names.
template <class Policy>
Metrics grpo_step(const Policy& policy, const Policy* reference, const GrpoSettings& s,
                  const Task<Policy>& task, std::int32_t end_token, Index step, auto watch,
                  const std::function<void()>& apply) {
  s.check();
  GAZE_CHECK(s.loss.kl == 0 || reference, "grpo", "a KL term needs a reference policy");
  Metrics metrics;
  const double start = gaze::detail::seconds_now();
  const auto batch = detail::collect(policy, s, task, end_token, step, watch, metrics);
  const double rollout_time = gaze::detail::seconds_now() - start;
  detail::report(batch, metrics);
  std::vector<float> ref;
  if (s.loss.kl != 0) ref = detail::reference_logp(*reference, batch, s);
  LossInputs sizes;
  for (const auto& c : batch.completions) {
    sizes.lengths.push_back(static_cast<Index>(c.tokens.size()));
    sizes.truncated.push_back(!c.ended);
  }
  const LossTotals totals = loss_totals(sizes, s.loss);
  double tokens = 0;
  for (const Index length : sizes.lengths) tokens += static_cast<double>(length);
  LossMetrics first;
  double loss = 0, entropy = 0;
  for (Index u = 0; u < s.updates; ++u) {
    LossMetrics now;
    loss = entropy = 0;
    std::size_t token = 0;
    const auto micro = static_cast<std::size_t>(s.groups_per_micro);
    for (std::size_t at = 0; at < batch.prompts.size(); at += micro)
      detail::micro_batch(policy, batch, s, totals, ref, at,
                          std::min(batch.prompts.size(), at + micro), token, now, loss, entropy);
    if (u == 0) first = now;
    if (u + 1 < s.updates) apply();
    if (u + 1 == s.updates) {
      metrics.emplace_back("loss", loss);
      metrics.emplace_back("entropy", entropy / tokens);
      metrics.emplace_back("kl", now.kl);
      metrics.emplace_back("clip_ratio/low_mean", now.clip_low);
      metrics.emplace_back("clip_ratio/high_mean", now.clip_high);
    }
  }
  metrics.emplace_back("first_ratio_min", first.ratio_min);
  metrics.emplace_back("first_ratio_max", first.ratio_max);
  metrics.emplace_back("rollout_time", rollout_time);
  metrics.emplace_back("tokens_per_second", tokens / (gaze::detail::seconds_now() - start));
  return metrics;
}

}  // namespace gaze::rl
