// SPDX-License-Identifier: MIT
// Group relative policy optimisation (Shao et al. 2024): sample a group of completions per prompt,
// score them, and raise the log-probability of those that are better than their group.
//
// It knows a policy (prefill, decode, logprobs; see models/vlm.hpp) and a task that gives prompts
// and rewards; nothing of images, physics or any one model.
#pragma once
#include <functional>
#include <type_traits>

#include "gaze/generate/rollout.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/rl/policy_loss.hpp"
#include "gaze/rl/reference.hpp"
#include "gaze/rl/variants.hpp"
#include "gaze/train/loop.hpp"

namespace gaze::rl {

struct GrpoSettings {
  Index prompts = 12, group = 8;
  SamplingSettings sampling;
  AdvantageSettings advantage;
  LossSettings loss;
  Index updates = 1;                 // passes over one rollout
  Index groups_per_micro = 1 << 20;  // groups per forward and backward; smaller needs less memory
  Index resample = 0;                // rounds in which groups without spread are replaced
  std::uint64_t seed = 0;
  Index minibatches = 1;    // optimiser steps per pass over a rollout
  double kl_in_reward = 0;  // weight of a completion's KL from the reference, taken from its reward
  KlEstimator reward_estimator = KlEstimator::k1;
  Index overlong_cache = 0;      // tokens below the longest from which length is punished; 0: never
  ReferenceSync reference_sync;  // of a run with a reference
  bool adaptive_entropy = false;  // the entropy bonus follows `adaptive` instead of being fixed
  AdaptiveEntropy adaptive;       // as it starts; the run's own moves from step to step

  /// Sets the axes a named variant decides: not the KL term, the longest completion, nor the
  /// masks and corrections that belong to a run.
  void apply(const Variant& v) {
    const LossSettings run = loss;
    advantage = v.advantage;
    loss = v.loss;
    loss.max_length = run.max_length;
    loss.kl = run.kl;
    loss.estimator = run.estimator;
    loss.kl_bias_correction = run.kl_bias_correction;
    loss.kl_k2_gradient = run.kl_k2_gradient;
    loss.top_entropy = run.top_entropy;
    loss.entropy_bonus = run.entropy_bonus;
    loss.correction = run.correction;
    loss.off_policy_limit = run.off_policy_limit;
    if (v.resample_zero_spread && resample == 0) resample = 3;
  }
  bool needs_reference() const { return loss.kl != 0 || kl_in_reward != 0; }
  void check() const {
    sampling.check();
    advantage.check();
    loss.check();
    detail::check_setting("grpo", "kl_in_reward", kl_in_reward);
    GAZE_CHECK(prompts > 0, "grpo", "prompts must be above 0, got ", prompts);
    GAZE_CHECK(group >= 2, "grpo", "the group must be at least 2, got ", group);
    GAZE_CHECK(updates > 0 && groups_per_micro > 0, "grpo", "updates ", updates,
               ", groups per micro-batch ", groups_per_micro);
    GAZE_CHECK(minibatches > 0 && minibatches <= prompts, "grpo", "minibatches ", minibatches,
               " of ", prompts, " prompts");
    GAZE_CHECK(overlong_cache >= 0 && overlong_cache <= sampling.max_tokens, "grpo",
               "an overlong cache of ", overlong_cache, " tokens out of ", sampling.max_tokens);
    reference_sync.check();
    adaptive.check();
    GAZE_CHECK(reference_sync.every == 0 || needs_reference(), "grpo",
               "a reference is synchronised that no KL term uses");
    GAZE_CHECK(!adaptive_entropy || loss.entropy_bonus == 0, "grpo",
               "a fixed entropy bonus beside an adaptive one");
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
/// the metrics. `table` takes its place where there are several reward functions with weights, or
/// completions that some do not score.
template <class Policy>
struct Task {
  std::function<std::vector<TaskPrompt<Policy>>(Index step, Index round, Index count)> prompts;
  std::function<std::vector<double>(Index step, std::span<const TaskPrompt<Policy>>,
                                    std::span<const Completion>, Metrics&)>
      score;
  std::function<RewardTable(Index step, std::span<const TaskPrompt<Policy>>,
                            std::span<const Completion>, Metrics&)>
      table = {};
};

namespace detail {

template <class Policy>
struct Batch {
  std::vector<TaskPrompt<Policy>> prompts;
  std::vector<Completion> completions;
  RewardTable rewards;
  Advantages advantages;
  /// One per token of all completions, where they are needed: log-probabilities of the reference,
  /// and of the policy before the first update (which then need not be the rollout's).
  std::vector<float> ref, old;
};

inline std::vector<Index> lengths_of(std::span<const Completion> completions) {
  std::vector<Index> out;
  for (const auto& c : completions) out.push_back(static_cast<Index>(c.tokens.size()));
  return out;
}

template <class Policy>
RewardTable scores(const Task<Policy>& task, Index step,
                   std::span<const TaskPrompt<Policy>> prompts,
                   std::span<const Completion> completions, Metrics& metrics) {
  RewardTable out;
  if (task.table)
    out = task.table(step, prompts, completions, metrics);
  else
    for (const double r : task.score(step, prompts, completions, metrics)) out.rows.push_back({r});
  GAZE_CHECK(out.rows.size() == completions.size(), "grpo", "the task gave ", out.rows.size(),
             " rewards for ", completions.size(), " completions");
  for (std::size_t k = 0; k < out.names.size(); ++k) {
    const auto all = mean_deviation(column(out, k));
    metrics.emplace_back("rewards/" + out.names[k] + "/mean", all.mean);
    metrics.emplace_back("rewards/" + out.names[k] + "/std", all.deviation);
  }
  return out;
}

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
    b.rewards = scores<Policy>(task, step, b.prompts, b.completions, parts);
    if (round == 0) metrics.insert(metrics.end(), parts.begin(), parts.end());
    b.advantages = advantages(b.rewards, s.group, s.advantage, lengths_of(b.completions));
    out.rewards.names = b.rewards.names;
    out.rewards.weights = b.rewards.weights;
    const bool last = round == s.resample;
    for (std::size_t i = 0; i < b.prompts.size(); ++i) {
      drawn += 1;
      flat += b.advantages.zero_spread[i];
      if (b.advantages.zero_spread[i] && !last) continue;
      out.prompts.push_back(b.prompts[i]);
      for (std::size_t j = i * g; j < (i + 1) * g; ++j) {
        out.completions.push_back(std::move(b.completions[j]));
        out.rewards.rows.push_back(std::move(b.rewards.rows[j]));
      }
    }
  }
  metrics.emplace_back("frac_reward_zero_std", flat / drawn);
  return out;
}

/// Log-probabilities and entropies under a policy that is not trained here.
struct Frozen {
  std::vector<float> logp, entropy;
};

/// Of groups [begin, end) of the batch, group by group.
template <class Policy>
Frozen frozen(const Policy& policy, const Batch<Policy>& batch, const GrpoSettings& s,
              std::size_t begin, std::size_t end) {
  const NoGrad no_grad;
  Frozen out;
  const auto g = static_cast<std::size_t>(s.group);
  for (std::size_t i = begin; i < end; ++i) {
    typename Policy::Group group{batch.prompts[i].prompt, {}};
    for (std::size_t j = i * g; j < (i + 1) * g; ++j)
      group.completions.push_back(batch.completions[j].tokens);
    const auto y = policy.logprobs(std::span<const typename Policy::Group>(&group, 1),
                                   static_cast<float>(s.sampling.temperature));
    const auto logp = y.logp.to_vector(), entropy = y.entropy.to_vector();
    out.logp.insert(out.logp.end(), logp.begin(), logp.end());
    out.entropy.insert(out.entropy.end(), entropy.begin(), entropy.end());
  }
  return out;
}

/// Everything about groups [begin, end) that does not change from update to update.
template <class Policy>
LossInputs loss_inputs(const Batch<Policy>& batch, const GrpoSettings& s, std::size_t begin,
                       std::size_t end) {
  const auto g = static_cast<std::size_t>(s.group);
  LossInputs in;
  std::size_t first = 0;
  for (std::size_t j = 0; j < end * g; ++j) {
    const Completion& c = batch.completions[j];
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

/// Rewards that need the rollout or the reference, then the advantages.
template <class Policy>
void finish_rewards(Batch<Policy>& batch, const GrpoSettings& s) {
  if (s.overlong_cache > 0) {
    std::vector<double> punishment;
    for (const auto& c : batch.completions)
      punishment.push_back(overlong_punishment(static_cast<Index>(c.tokens.size()),
                                               s.sampling.max_tokens, s.overlong_cache));
    add_reward(batch.rewards, "overlong", punishment);
  }
  const auto lengths = lengths_of(batch.completions);
  batch.advantages.values.resize(batch.completions.size());  // the inputs below want them
  if (s.kl_in_reward != 0) {
    auto kl =
        completion_kl(loss_inputs(batch, s, 0, batch.prompts.size()), s.loss, s.reward_estimator);
    for (double& x : kl) x *= -s.kl_in_reward;
    add_reward(batch.rewards, "kl", kl);
  }
  batch.advantages = advantages(batch.rewards, s.group, s.advantage, lengths);
}

/// Sums over the micro-batches of one optimiser step.
struct StepSums {
  LossMetrics metrics;
  double loss = 0, policy_loss = 0, entropy = 0;
  double trained_entropy = 0, trained = 0;
};

/// Loss and gradients of groups [begin, end) of the batch.
template <class Policy>
void micro_batch(const Policy& policy, const Batch<Policy>& batch, const GrpoSettings& s,
                 const LossTotals& totals, double bonus, std::size_t begin, std::size_t end,
                 StepSums& sums) {
  const auto g = static_cast<std::size_t>(s.group);
  std::vector<typename Policy::Group> groups;
  for (std::size_t i = begin; i < end; ++i) {
    groups.push_back({batch.prompts[i].prompt, {}});
    for (std::size_t j = i * g; j < (i + 1) * g; ++j)
      groups.back().completions.push_back(batch.completions[j].tokens);
  }
  LossInputs in = loss_inputs(batch, s, begin, end);
  const auto y = policy.logprobs(groups, static_cast<float>(s.sampling.temperature));
  const auto entropy = y.entropy.to_vector();
  in.entropy.assign(entropy.begin(), entropy.end());
  auto value = policy_loss(y.logp, in, s.loss, totals, &sums.metrics);
  sums.policy_loss += value.item();
  if (bonus != 0) value = add(value, entropy_bonus(y.entropy, in, s.loss, totals, bonus));
  sums.loss += value.item();
  sums.entropy += mean(y.entropy.detach()).item() * static_cast<double>(in.old.size());
  const auto trained = trained_tokens(in, s.loss, totals);
  for (std::size_t t = 0; t < trained.size(); ++t)
    if (trained[t]) {
      sums.trained_entropy += entropy[t];
      sums.trained += 1;
    }
  backward(value);
}

/// The gradients of one optimiser step on groups [begin, end).
template <class Policy>
StepSums gradients(const Policy& policy, const Batch<Policy>& batch, const GrpoSettings& s,
                   double bonus, std::size_t begin, std::size_t end) {
  WholeGradient gradient;
  LossInputs in = loss_inputs(batch, s, begin, end);
  LossTotals totals = loss_totals(in, s.loss);
  const auto micro = std::min(static_cast<std::size_t>(s.groups_per_micro), end - begin);
  totals.micro_batches = static_cast<double>((end - begin + micro - 1) / micro);
  if (s.loss.top_entropy < 1) {  // one more forward: the threshold is of all micro-batches
    const auto entropy = frozen(policy, batch, s, begin, end).entropy;
    in.entropy.assign(entropy.begin(), entropy.end());
    add_entropy_totals(totals, in, s.loss);
  }
  StepSums sums;
  for (std::size_t at = begin; at < end; at += micro)
    micro_batch(policy, batch, s, totals, bonus, at, std::min(end, at + micro), sums);
  gradient.done();
  return sums;
}

template <class Policy>
void report(const Batch<Policy>& batch, Metrics& m) {
  double length = 0, ended_length = 0, ended = 0;
  double least = HUGE_VAL, most = 0, least_ended = HUGE_VAL, most_ended = 0;
  for (const auto& c : batch.completions) {
    const auto n = static_cast<double>(c.tokens.size());
    length += n;
    ended += c.ended;
    least = std::min(least, n);
    most = std::max(most, n);
    if (!c.ended) continue;
    ended_length += n;
    least_ended = std::min(least_ended, n);
    most_ended = std::max(most_ended, n);
  }
  const double n = static_cast<double>(batch.completions.size());
  m.emplace_back("reward", batch.advantages.reward_mean);
  m.emplace_back("reward_std", batch.advantages.reward_std);
  m.emplace_back("reward_group_std", batch.advantages.mean_spread);
  m.emplace_back("completions/mean_length", length / n);
  m.emplace_back("completions/min_length", least);
  m.emplace_back("completions/max_length", most);
  m.emplace_back("completions/mean_terminated_length", ended > 0 ? ended_length / ended : 0);
  m.emplace_back("completions/min_terminated_length", ended > 0 ? least_ended : 0);
  m.emplace_back("completions/max_terminated_length", most_ended);
  m.emplace_back("completions/clipped_ratio", 1 - ended / n);
  m.emplace_back("num_tokens", length);
}

/// How far the sampler's log-probabilities are from the trainer's.
inline void report_sampler(const LossInputs& in, const LossSettings& s, Metrics& m) {
  const auto w = importance_weights(in, s);
  double sum = 0, largest = 0, mean = 0, least = HUGE_VAL, most = 0;
  for (std::size_t t = 0; t < w.size(); ++t) {
    const double d = std::abs(in.old[t] - in.sampling[t]);
    sum += d;
    largest = std::max(largest, d);
    mean += w[t];
    least = std::min(least, w[t]);
    most = std::max(most, w[t]);
  }
  const auto n = static_cast<double>(w.size());
  m.emplace_back("sampling/sampling_logp_difference/mean", sum / n);
  m.emplace_back("sampling/sampling_logp_difference/max", largest);
  m.emplace_back("sampling/importance_sampling_ratio/min", least);
  m.emplace_back("sampling/importance_sampling_ratio/mean", mean / n);
  m.emplace_back("sampling/importance_sampling_ratio/max", most);
}

/// Means over the optimiser steps of the last pass.
inline void report_updates(const std::vector<StepSums>& steps, double tokens, const LossSettings& s,
                           Metrics& m) {
  const auto n = static_cast<double>(steps.size());
  const auto mean = [&](auto value) {
    double sum = 0;
    for (const auto& x : steps) sum += value(x);
    return sum / n;
  };
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (const auto& x : steps) {
    least = std::min(least, x.metrics.clip_low_min);
    most = std::max(most, x.metrics.clip_high_max);
  }
  m.emplace_back("loss", mean([](const auto& x) { return x.loss; }));
  m.emplace_back("entropy", n * mean([](const auto& x) { return x.entropy; }) / tokens);
  m.emplace_back("kl", mean([](const auto& x) { return x.metrics.kl; }));
  m.emplace_back("clip_ratio/low_mean", mean([](const auto& x) { return x.metrics.clip_low; }));
  m.emplace_back("clip_ratio/high_mean", mean([](const auto& x) { return x.metrics.clip_high; }));
  m.emplace_back("clip_ratio/region_mean",
                 mean([](const auto& x) { return x.metrics.clip_low + x.metrics.clip_high; }));
  m.emplace_back("clip_ratio/low_min", least);
  m.emplace_back("clip_ratio/high_max", most);
  if (s.surrogate == Surrogate::weight)
    m.emplace_back("cispo_clip_ratio", mean([](const auto& x) { return x.metrics.clip_high; }));
  if (s.surrogate == Surrogate::gamma)
    m.emplace_back("vespo/phi_seq_mean", mean([](const auto& x) { return x.metrics.weight_mean; }));
  if (s.entropy_bonus != 0)
    m.emplace_back("policy_loss", mean([](const auto& x) { return x.policy_loss; }));
}

}  // namespace detail

/// One GRPO step: rollout, rewards, advantages, then gradients and `update` for each optimiser
/// step. `reference` is for a KL term; in
/// `adaptive` lies the entropy bonus's coefficient from step to step. Metrics have TRL's names.
template <class Policy>
Metrics grpo_step(const Policy& policy, const std::type_identity_t<Reference<Policy>>& reference,
                  const GrpoSettings& s, const Task<Policy>& task, std::int32_t end_token,
                  Index step, auto watch, const Update& update,
                  AdaptiveEntropy* adaptive = nullptr) {
  s.check();
  GAZE_CHECK(!s.needs_reference() || reference.policy, "grpo",
             "a KL term needs a reference policy");
  Metrics metrics;
  const double start = seconds_now();
  auto batch = detail::collect(policy, s, task, end_token, step, watch, metrics);
  const double rollout_time = seconds_now() - start;
  const std::size_t groups = batch.prompts.size();
  if (s.needs_reference()) {
    const AdaptersOff off(reference.adapters);
    batch.ref = detail::frozen(*reference.policy, batch, s, 0, groups).logp;
  }
  if (s.loss.correction.level != ImportanceCorrection::Level::none)
    batch.old = detail::frozen(policy, batch, s, 0, groups).logp;
  detail::finish_rewards(batch, s);
  detail::report(batch, metrics);
  double tokens = 0;
  for (const auto& c : batch.completions) tokens += static_cast<double>(c.tokens.size());
  const auto parts = std::min(static_cast<std::size_t>(s.minibatches), groups);
  LossMetrics first;
  std::vector<detail::StepSums> last;
  for (Index u = 0; u < s.updates; ++u) {
    last.clear();
    for (std::size_t part = 0; part < parts; ++part) {
      const double bonus = adaptive ? adaptive->applied() : s.loss.entropy_bonus;
      last.push_back(detail::gradients(policy, batch, s, bonus, groups * part / parts,
                                       groups * (part + 1) / parts));
      const auto& now = last.back();
      if (adaptive) adaptive->update(now.trained_entropy / std::max(1.0, now.trained));
      if (u == 0 && part == 0) first = now.metrics;
      update();
    }
  }
  detail::report_updates(last, tokens, s.loss, metrics);
  if (!batch.old.empty())
    detail::report_sampler(detail::loss_inputs(batch, s, 0, groups), s.loss, metrics);
  if (adaptive || s.loss.entropy_bonus != 0)
    metrics.emplace_back("entropy_coef", adaptive ? adaptive->coefficient : s.loss.entropy_bonus);
  metrics.emplace_back("first_ratio_min", first.ratio_min);
  metrics.emplace_back("first_ratio_max", first.ratio_max);
  metrics.emplace_back("rollout_time", rollout_time);
  metrics.emplace_back("tokens_per_second", tokens / (seconds_now() - start));
  return metrics;
}

}  // namespace gaze::rl
