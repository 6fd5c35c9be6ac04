// SPDX-License-Identifier: MIT
// Group relative policy optimisation (GRPO: Shao et al. 2024): sample a group of completions per
// prompt, score them, and raise the log-probability of those that are better than their group.
//
// Differences from the paper, each a setting or a variant; docs/grpo.md has all of them, with the
// names of TRL and verl:
//   - The default loss averages over the tokens of the step; variant("grpo") has the paper's mean
//     over the tokens of each completion first. The KL term is off (kl = 0).
//   - Rewards are for whole completions: no process supervision, and no reward model is trained.
//   - The old log-probabilities are the rollout's. On the CPU they are bit-equal to those of the
//     first update, so no second forward pass is needed; `correction` is for samplers that differ.
//   - Groups without spread give no gradient; `resample` replaces them (DAPO).
//
// It needs a policy (prefill, decode, and logprobs, which can observe the attention like a rollout;
// models/vlm.hpp) and a task that provides prompts and rewards, and knows nothing of images,
// physics or any one model.
#pragma once
#include <functional>
#include <type_traits>

#include "gaze/core/clock.hpp"
#include "gaze/rl/batch.hpp"
#include "gaze/rl/report.hpp"
#include "gaze/rl/updates.hpp"

namespace gaze::rl {

/// The KL of a step's policy, before its updates, from the policy that training started from: the
/// mean over all tokens of the step's completions (mean_kl). No effect on training.
template <class Policy>
double kl_from_start(const GrpoBatch<Policy>& batch, const Reference<Policy>& start,
                     const GrpoSettings& s) {
  const std::size_t groups = batch.prompts.size();
  LossInputs in = loss_inputs(batch, s, 0, groups);
  const AdaptersOff off(start.adapters);
  const auto logp = fixed_logprobs(*start.policy, batch, s, 0, groups).logp;
  in.ref.assign(logp.begin(), logp.end());
  return mean_kl(in);
}

/// The gradients of the rewards by the observed attention; none for completions that are not in the
/// loss.
template <class Policy>
void add_attention_gradients(GrpoBatch<Policy>& batch, const GrpoSettings& s,
                             const Task<Policy>& task) {
  auto& all = batch.attention_gradients;
  all = task.attention_gradients(batch.prompts, batch.completions);
  GAZE_CHECK(all.size() == batch.completions.size(), "grpo", "the task returned ", all.size(),
             " attention gradients for ", batch.completions.size(), " completions");
  if (!s.loss.mask_truncated) return;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!batch.completions[i].ended) all[i].clear();
}

/// One GRPO step: rollout, rewards, advantages, and the optimiser steps. `update` takes one with
/// the gradients accumulated so far. `reference` is for a KL term and may be null without one;
/// `adaptive` carries the coefficient of an adaptive entropy bonus from step to step. `start`, if
/// set, is the frozen policy that training started from: every `kl_every` steps, and at the last of
/// `s.steps`, the metric kl_start is the KL from it. Metrics have TRL's names.
template <class Policy>
Metrics grpo_step(const Policy& policy, const std::type_identity_t<Reference<Policy>>& reference,
                  const GrpoSettings& s, const Task<Policy>& task, const EndTokens& ends,
                  Index step, auto watch, const Update& update, AdaptiveEntropy* adaptive = nullptr,
                  const std::type_identity_t<Reference<Policy>>& start = {}) {
  s.check();
  GAZE_CHECK(!s.needs_reference() || reference.policy, "grpo",
             "a KL term needs a reference policy");
  GAZE_CHECK(!s.loss.papo.needs_masked() || task.masks, "grpo",
             "papo.gamma and papo.eta_masked need a task that masks its prompts");
  GAZE_CHECK(s.loss.pathwise == 0 || task.attention_gradients, "grpo",
             "pathwise needs a reward that reads the attention");
  Metrics metrics;
  const double begin = seconds_now();
  auto batch = collect_batch(policy, s, task, ends, step, watch, metrics);
  const double rollout_time = seconds_now() - begin;
  const std::size_t groups = batch.prompts.size();

  if (s.needs_reference()) {
    const AdaptersOff off(reference.adapters);
    batch.ref = fixed_logprobs(*reference.policy, batch, s, 0, groups).logp;
  }
  if (s.loss.correction.level != ImportanceCorrection::Level::none)
    batch.old = fixed_logprobs(policy, batch, s, 0, groups).logp;
  finish_rewards(batch, s);
  if (s.loss.pathwise != 0) add_attention_gradients(batch, s, task);
  report_batch(batch, metrics);
  if (start.policy && s.measures_kl(step))
    metrics.emplace_back("kl_start", kl_from_start(batch, start, s));

  const UpdateReport done = run_updates(policy, batch, s, update, watch, adaptive);

  report_updates(done.last_pass, batch.tokens(), s.loss, metrics);
  if (!batch.old.empty()) report_sampler(loss_inputs(batch, s, 0, groups), s.loss, metrics);
  if (adaptive || s.loss.entropy_bonus != 0)
    metrics.emplace_back("entropy_coef", adaptive ? adaptive->coefficient : s.loss.entropy_bonus);
  metrics.emplace_back("first_ratio_min", done.first.ratio_min);
  metrics.emplace_back("first_ratio_max", done.first.ratio_max);
  metrics.emplace_back("rollout_time", rollout_time);
  metrics.emplace_back("tokens_per_second", batch.tokens() / (seconds_now() - begin));
  return metrics;
}

}  // namespace gaze::rl
