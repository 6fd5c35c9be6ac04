// SPDX-License-Identifier: MIT
// The metrics of a GRPO step, named and computed as in TRL (docs/grpo.md, "Metrics").
#pragma once
#include <cmath>

#include "gaze/rl/updates.hpp"

namespace gaze::rl {

/// Rewards and lengths.
template <class Policy>
void report_batch(const GrpoBatch<Policy>& batch, Metrics& m) {
  double length = 0, ended_length = 0, ended = 0;
  double min = HUGE_VAL, max = 0, min_ended = HUGE_VAL, max_ended = 0;
  for (const auto& c : batch.completions) {
    const auto n = static_cast<double>(c.tokens.size());
    length += n;
    ended += c.ended;
    min = std::min(min, n);
    max = std::max(max, n);
    if (!c.ended) continue;
    ended_length += n;
    min_ended = std::min(min_ended, n);
    max_ended = std::max(max_ended, n);
  }
  const double n = static_cast<double>(batch.completions.size());
  m.emplace_back("reward", batch.advantages.reward_mean);
  m.emplace_back("reward_std", batch.advantages.reward_std);
  m.emplace_back("reward_group_std", batch.advantages.mean_std);
  m.emplace_back("completions/mean_length", length / n);
  m.emplace_back("completions/min_length", min);
  m.emplace_back("completions/max_length", max);
  m.emplace_back("completions/mean_terminated_length", ended > 0 ? ended_length / ended : 0);
  m.emplace_back("completions/min_terminated_length", ended > 0 ? min_ended : 0);
  m.emplace_back("completions/max_terminated_length", max_ended);
  m.emplace_back("completions/clipped_ratio", 1 - ended / n);
  m.emplace_back("num_tokens", length);
}

/// The distance of the sampler's log-probabilities from the trainer's, and the importance weights.
inline void report_sampler(const LossInputs& in, const LossSettings& s, Metrics& m) {
  const auto w = importance_weights(in, s);
  double sum = 0, largest = 0, mean = 0, min = HUGE_VAL, max = 0;
  for (std::size_t t = 0; t < w.size(); ++t) {
    const double d = std::abs(in.old[t] - in.sampling[t]);
    sum += d;
    largest = std::max(largest, d);
    mean += w[t];
    min = std::min(min, w[t]);
    max = std::max(max, w[t]);
  }
  const auto n = static_cast<double>(w.size());
  m.emplace_back("sampling/sampling_logp_difference/mean", sum / n);
  m.emplace_back("sampling/sampling_logp_difference/max", largest);
  m.emplace_back("sampling/importance_sampling_ratio/min", min);
  m.emplace_back("sampling/importance_sampling_ratio/mean", mean / n);
  m.emplace_back("sampling/importance_sampling_ratio/max", max);
}

/// Means over the optimiser steps of the last pass over a batch of `tokens` tokens.
inline void report_updates(const std::vector<UpdateSums>& steps, double tokens,
                           const LossSettings& s, Metrics& m) {
  const auto n = static_cast<double>(steps.size());
  const auto mean = [&](auto value) {
    double sum = 0;
    for (const auto& x : steps) sum += value(x);
    return sum / n;
  };
  double low_min = HUGE_VAL, high_max = -HUGE_VAL;
  for (const auto& x : steps) {
    low_min = std::min(low_min, x.metrics.clip_low_min);
    high_max = std::max(high_max, x.metrics.clip_high_max);
  }
  m.emplace_back("loss", mean([](const auto& x) { return x.loss; }));
  m.emplace_back("entropy", n * mean([](const auto& x) { return x.entropy; }) / tokens);
  m.emplace_back("kl", mean([](const auto& x) { return x.metrics.kl; }));
  m.emplace_back("clip_ratio/low_mean", mean([](const auto& x) { return x.metrics.clip_low; }));
  m.emplace_back("clip_ratio/high_mean", mean([](const auto& x) { return x.metrics.clip_high; }));
  m.emplace_back("clip_ratio/region_mean",
                 mean([](const auto& x) { return x.metrics.clip_low + x.metrics.clip_high; }));
  m.emplace_back("clip_ratio/low_min", low_min);
  m.emplace_back("clip_ratio/high_max", high_max);
  if (s.surrogate == Surrogate::weight)
    m.emplace_back("cispo_clip_ratio", mean([](const auto& x) { return x.metrics.clip_high; }));
  if (s.surrogate == Surrogate::gamma)
    m.emplace_back("vespo/phi_seq_mean", mean([](const auto& x) { return x.metrics.weight_mean; }));
  if (s.papo.needs_masked()) {
    const double masked = std::max(1.0, n * mean([](const auto& x) { return x.papo.tokens; }));
    m.emplace_back("papo/kl", n * mean([](const auto& x) { return x.papo.kl; }) / masked);
    m.emplace_back("papo/masked_entropy",
                   n * mean([](const auto& x) { return x.papo.entropy; }) / masked);
  }
  if (s.entropy_bonus != 0 || s.papo.any() || s.pathwise != 0)
    m.emplace_back("policy_loss", mean([](const auto& x) { return x.policy_loss; }));
}

}  // namespace gaze::rl
