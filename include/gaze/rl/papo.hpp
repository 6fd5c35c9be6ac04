// SPDX-License-Identifier: MIT
// PAPO's terms of the loss (perception-aware policy optimisation: Wang et al. 2025, arXiv
// 2507.06448): a policy that reads its picture predicts its answer worse once the picture is
// masked.
//
//   loss += sum_t weight_t (-gamma k3(d_t) + eta H_t + eta_masked H'_t),   d_t = lp'_t - lp_t
//
// lp' and H' are log-probability and entropy of the same token after the masked prompt. k3(d) =
// e^d - d - 1 estimates KL(policy || policy after the masked prompt); minimising the loss raises
// it, and its gradient reaches both log-probabilities. The entropy terms keep the policy from
// raising the KL by growing random. weight_t is the aggregation's weight, as for the KL term.
//
// Differences from the paper: H is the exact entropy of the distribution, not the sampled token's
// log-probability; kl_log_limit and kl_limit bound d and k3 (without gradient beyond), as they do
// for the KL term. Without kl_limit the term is unbounded.
#pragma once
#include "gaze/ops/logprob.hpp"
#include "gaze/ops/rows.hpp"
#include "gaze/ops/views.hpp"
#include "gaze/rl/policy_loss.hpp"

namespace gaze::rl {

/// Sums over the tokens after masked prompts, for the metrics.
struct PapoSums {
  double kl = 0, entropy = 0, tokens = 0;
};

namespace detail {

/// sum_m -gamma weight_m k3(d_m), differentiable in d [M]; adds the values of k3 to `sums`. Tokens
/// of weight 0 have no effect.
template <class T, class Device>
Tensor<T, Device> perception_term(const Tensor<T, Device>& x, const std::vector<T>& weight,
                                  const LossSettings& s, PapoSums& sums) {
  LossSettings k3 = s;
  k3.estimator = KlEstimator::k3;
  k3.kl_k2_gradient = false;
  std::vector<T> d = x.to_vector(), limited(d.size(), T(0));
  const T limit = static_cast<T>(s.kl_log_limit);
  for (std::size_t m = 0; m < d.size(); ++m)
    if (weight[m] != 0) limited[m] = std::min(std::max(d[m], -limit), limit);
  const auto e = exponentials(limited);
  std::vector<T> term(d.size(), T(0)), grad(d.size(), T(0));
  for (std::size_t m = 0; m < d.size(); ++m) {
    if (weight[m] == 0) continue;
    const T w = static_cast<T>(-s.papo.gamma) * weight[m];
    const auto kl = kl_term(d[m], e[m], k3, w);
    term[m] = w * kl.value;
    grad[m] = -kl.grad;  // kl_term's gradient is with respect to lp, and d = lp' - lp
    sums.kl += static_cast<double>(kl.value);
  }
  return sum_with_grad("papo_perception", x, term, grad);
}

/// sum_t coefficient weight_t x_t, differentiable in x [N].
template <class T, class Device>
Tensor<T, Device> weighted_sum(const Tensor<T, Device>& x, std::vector<T> weight,
                               double coefficient) {
  for (T& w : weight) w *= static_cast<T>(coefficient);
  const std::vector<T> values = x.to_vector();
  std::vector<T> term(weight.size(), T(0));
  for (std::size_t t = 0; t < term.size(); ++t)
    if (weight[t] != 0) term[t] = weight[t] * values[t];
  return sum_with_grad("papo_entropy", x, term, weight);
}

}  // namespace detail

/// PAPO's terms, a differentiable scalar. `own` [N]: the policy's log-probabilities and entropies;
/// `masked` [M]: those of the tokens `at` [M] (indices into `own`, ascending) after masked prompts.
/// The other tokens have no masked prompt, and only the term of eta. Adds to `sums`, which the
/// micro-batches of a step share. Throws Error for sizes that do not match.
template <class T, class Device>
Tensor<T, Device> papo_terms(const LogProb<T, Device>& own, const LogProb<T, Device>& masked,
                             const std::vector<std::int32_t>& at, const LossInputs& in,
                             const LossSettings& s, const LossTotals& totals, PapoSums& sums) {
  detail::check_inputs(own.logp.shape(), in, s);
  const Index n = own.logp.numel(), count = static_cast<Index>(at.size());
  GAZE_CHECK(own.entropy.shape() == Shape({n}), "papo", "log-probabilities ", own.logp.shape(),
             ", entropy ", own.entropy.shape());
  const std::vector<T> logp = own.logp.to_vector();
  const auto weight = token_constants<T>(logp.data(), in, s, totals).weight;
  auto y = Tensor<T, Device>::scalar(T(0));
  if (s.papo.eta != 0) y = add(y, detail::weighted_sum(own.entropy, weight, s.papo.eta));
  if (at.empty()) return y;
  GAZE_CHECK(masked.logp.shape() == Shape({count}) && masked.entropy.shape() == Shape({count}),
             "papo", count, " tokens after masked prompts, their log-probabilities ",
             masked.logp.shape(), ", entropy ", masked.entropy.shape());
  std::vector<T> part;  // weights of the tokens with a masked prompt
  for (const std::int32_t t : at) part.push_back(weight[static_cast<std::size_t>(t)]);
  const auto index = Indices<Device>::from({count}, at);
  const auto pair = reshape(gather_rows(reshape(own.logp, {n, 1}), index), {count});
  y = add(y, detail::perception_term(sub(masked.logp, pair), part, s, sums));
  if (s.papo.eta_masked != 0)
    y = add(y, detail::weighted_sum(masked.entropy, part, s.papo.eta_masked));
  const std::vector<T> entropy = masked.entropy.to_vector();
  for (std::size_t m = 0; m < part.size(); ++m) {
    if (part[m] == 0) continue;
    sums.entropy += static_cast<double>(entropy[m]);
    sums.tokens += 1;
  }
  return y;
}

}  // namespace gaze::rl
