// SPDX-License-Identifier: MIT
// The optimiser steps of a GRPO step: gradients of the policy loss, micro-batch by micro-batch.
#pragma once
#include "gaze/ops/reduce.hpp"
#include "gaze/rl/batch.hpp"
#include "gaze/rl/papo.hpp"
#include "gaze/rl/pathwise.hpp"

namespace gaze::rl {

/// Groups [begin, end) of a batch as the policy's logprobs() takes them.
template <class Policy>
std::vector<typename Policy::Group> policy_groups(const GrpoBatch<Policy>& batch,
                                                  const GrpoSettings& s, std::size_t begin,
                                                  std::size_t end) {
  const auto g = static_cast<std::size_t>(s.group);
  std::vector<typename Policy::Group> out;
  for (std::size_t i = begin; i < end; ++i) {
    out.push_back({batch.prompts[i].prompt, {}});
    for (std::size_t j = i * g; j < (i + 1) * g; ++j)
      out.back().completions.push_back(batch.completions[j].tokens);
  }
  return out;
}

/// Adds the completions of groups [begin, end) after their masked prompts to `groups`, as far as
/// there are masked prompts. Returns the indices of these tokens among all of [begin, end).
template <class Policy>
std::vector<std::int32_t> add_masked_groups(const GrpoBatch<Policy>& batch, const GrpoSettings& s,
                                            std::size_t begin, std::size_t end,
                                            std::vector<typename Policy::Group>& groups) {
  const auto g = static_cast<std::size_t>(s.group);
  std::vector<std::int32_t> tokens;
  std::int32_t at = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const auto* masked = batch.prompts[i].masked.get();
    if (masked) groups.push_back({masked, {}});
    for (std::size_t j = i * g; j < (i + 1) * g; ++j) {
      const auto& completion = batch.completions[j].tokens;
      if (masked) groups.back().completions.push_back(completion);
      for (std::size_t t = 0; t < completion.size(); ++t, ++at)
        if (masked) tokens.push_back(at);
    }
  }
  return tokens;
}

/// Log-probability and entropy of every token, without gradients.
struct FixedLogprobs {
  std::vector<float> logp, entropy;
};

/// Those of groups [begin, end), one group per forward pass.
template <class Policy>
FixedLogprobs fixed_logprobs(const Policy& policy, const GrpoBatch<Policy>& batch,
                             const GrpoSettings& s, std::size_t begin, std::size_t end) {
  const NoGrad no_grad;
  FixedLogprobs out;
  for (std::size_t i = begin; i < end; ++i) {
    const auto group = policy_groups(batch, s, i, i + 1);
    const auto y = policy.logprobs(std::span<const typename Policy::Group>(group),
                                   static_cast<float>(s.sampling.temperature));
    const auto logp = y.logp.to_vector(), entropy = y.entropy.to_vector();
    out.logp.insert(out.logp.end(), logp.begin(), logp.end());
    out.entropy.insert(out.entropy.end(), entropy.begin(), entropy.end());
  }
  return out;
}

/// Sums over the micro-batches of one optimiser step.
struct UpdateSums {
  LossMetrics metrics;
  double loss = 0, policy_loss = 0, entropy = 0;
  double trained_entropy = 0, trained = 0;  // over the tokens that are trained on
  PapoSums papo;
};

/// Adds the gradients of groups [begin, end). `bonus`: coefficient of the entropy bonus; `watch`:
/// what a rollout observes.
template <class Policy>
void add_micro_batch(const Policy& policy, const GrpoBatch<Policy>& batch, const GrpoSettings& s,
                     const LossTotals& totals, double bonus, std::size_t begin, std::size_t end,
                     auto watch, UpdateSums& sums) {
  auto groups = policy_groups(batch, s, begin, end);
  LossInputs in = loss_inputs(batch, s, begin, end);
  std::vector<std::int32_t> masked;  // tokens that are also computed after a masked prompt
  if (s.loss.papo.needs_masked()) masked = add_masked_groups(batch, s, begin, end, groups);
  const bool pathwise = !batch.attention_gradients.empty();
  const auto all = policy.logprobs(groups, static_cast<float>(s.sampling.temperature),
                                   pathwise ? watch : decltype(watch){});  // {}: nothing
  using Values = decltype(policy.logprobs(groups));
  const auto part = [&all](Index from, Index to) -> Values {
    return {slice(all.logp, 0, from, to), slice(all.entropy, 0, from, to)};
  };
  const auto n = static_cast<Index>(in.old.size());
  const Values y = masked.empty() ? Values(all) : part(0, n);
  const auto entropy = y.entropy.to_vector();
  in.entropy.assign(entropy.begin(), entropy.end());
  auto loss = policy_loss(y.logp, in, s.loss, totals, &sums.metrics);
  sums.policy_loss += loss.item();
  if (bonus != 0) loss = add(loss, entropy_bonus(y.entropy, in, s.loss, totals, bonus));
  if (s.loss.papo.any()) {
    const Values after = masked.empty() ? Values(all) : part(n, all.logp.numel());
    loss = add(loss, papo_terms(y, after, masked, in, s.loss, totals, sums.papo));
  }
  if (pathwise) {
    const auto g = static_cast<std::size_t>(s.group);
    const std::span gradients(batch.attention_gradients);
    loss = add(loss, pathwise_term(all.seen, gradients.subspan(begin * g, (end - begin) * g),
                                   std::span(in.lengths), s.loss.pathwise / totals.completions));
  }
  sums.loss += loss.item();
  sums.entropy += mean(y.entropy.detach()).item() * static_cast<double>(in.old.size());
  const auto trained = trained_tokens(in, s.loss, totals);
  for (std::size_t t = 0; t < trained.size(); ++t)
    if (trained[t]) {
      sums.trained_entropy += entropy[t];
      sums.trained += 1;
    }
  backward(loss);
}

/// The gradients of one optimiser step, on groups [begin, end).
template <class Policy>
UpdateSums add_gradients(const Policy& policy, const GrpoBatch<Policy>& batch,
                         const GrpoSettings& s, double bonus, auto watch, std::size_t begin,
                         std::size_t end) {
  WholeGradient gradient;
  LossInputs in = loss_inputs(batch, s, begin, end);
  LossTotals totals = loss_totals(in, s.loss);
  const auto micro = std::min(static_cast<std::size_t>(s.groups_per_micro), end - begin);
  totals.micro_batches = static_cast<double>((end - begin + micro - 1) / micro);
  if (s.loss.top_entropy < 1) {  // another forward: the threshold is over all micro-batches
    const auto entropy = fixed_logprobs(policy, batch, s, begin, end).entropy;
    in.entropy.assign(entropy.begin(), entropy.end());
    add_entropy_totals(totals, in, s.loss);
  }
  UpdateSums sums;
  for (std::size_t at = begin; at < end; at += micro)
    add_micro_batch(policy, batch, s, totals, bonus, at, std::min(end, at + micro), watch, sums);
  gradient.done();
  return sums;
}

/// Metrics and sums of the updates of one step, for the report.
struct UpdateReport {
  LossMetrics first;                  // of the first optimiser step
  std::vector<UpdateSums> last_pass;  // one per optimiser step of the last pass
};

/// All optimiser steps of a GRPO step: `updates` passes of `minibatches` steps each. `watch`: what
/// the rollout observed. `adaptive` replaces the fixed entropy bonus unless it is null.
template <class Policy>
UpdateReport run_updates(const Policy& policy, const GrpoBatch<Policy>& batch,
                         const GrpoSettings& s, const Update& update, auto watch,
                         AdaptiveEntropy* adaptive) {
  const std::size_t groups = batch.prompts.size();
  const auto parts = std::min(static_cast<std::size_t>(s.minibatches), groups);
  UpdateReport out;
  for (Index pass = 0; pass < s.updates; ++pass) {
    out.last_pass.clear();
    for (std::size_t part = 0; part < parts; ++part) {
      const double bonus = adaptive ? adaptive->applied() : s.loss.entropy_bonus;
      const UpdateSums sums = add_gradients(policy, batch, s, bonus, watch, groups * part / parts,
                                            groups * (part + 1) / parts);
      update();
      if (adaptive) adaptive->update(sums.trained_entropy / std::max(1.0, sums.trained));
      if (pass == 0 && part == 0) out.first = sums.metrics;
      out.last_pass.push_back(sums);
    }
  }
  return out;
}

}  // namespace gaze::rl
