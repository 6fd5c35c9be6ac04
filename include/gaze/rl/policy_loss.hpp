// SPDX-License-Identifier: MIT
// The policy loss on orthogonal axes: ratio level, surrogate, masks and corrections, KL,
// aggregation. One operation that computes value and gradient together.
//
//   loss = sum_t weight_t (-c_t J(l_t, lp_t, A_t) + kl KL_t)
//
// where l is the log-ratio at its level, J the surrogate's objective, c_t the product of masks
// and corrections, weight_t the aggregation's weight of a token.
#pragma once
#include "gaze/ops/elementwise.hpp"
#include "gaze/rl/loss_terms.hpp"

namespace gaze::rl {

namespace detail {

/// The sum of `terms` [N] as a scalar whose gradient with respect to x [N] is `grad`.
template <class T, class Device>
Tensor<T, Device> sum_with_grad(const char* op, const Tensor<T, Device>& x,
                                const std::vector<T>& terms, const std::vector<T>& grad) {
  const Index n = static_cast<Index>(terms.size());
  auto y = Tensor<T, Device>::scalar(static_cast<T>(HostKernels<T>::sum(n, terms.data())));
  if (recorded(x))
    record(
        op, y,
        [grad = Tensor<T, Device>::from(x.shape(), grad), to = x.node()](const auto& dy) {
          to->take(mul(grad, dy));
        },
        x);
  return y;
}

inline void check_inputs(const Shape& logp, const LossInputs& in, const LossSettings& s) {
  s.check();
  Index tokens = 0;
  for (const Index length : in.lengths) tokens += length;
  const auto is = [tokens](const auto& list) { return static_cast<Index>(list.size()) == tokens; };
  GAZE_CHECK(logp == Shape({tokens}) && (is(in.old) || in.old.empty()) &&
                 (in.advantages.size() == in.lengths.size() || is(in.advantages)),
             "policy_loss", "logp ", logp, " for ", tokens, " tokens, ", in.old.size(),
             " old log-probabilities, ", in.advantages.size(), " advantages");
  GAZE_CHECK((in.mask.empty() || is(in.mask)) &&
                 (in.truncated.empty() || in.truncated.size() == in.lengths.size()) &&
                 (in.sampling.empty() || is(in.sampling)),
             "policy_loss", tokens, " tokens, ", in.mask.size(), " mask bits, ", in.sampling.size(),
             " log-probabilities of the sampler, ", in.truncated.size(), " truncation marks");
  GAZE_CHECK(s.kl == 0 || is(in.ref), "policy_loss",
             "KL needs a reference log-probability per token, got ", in.ref.size());
}

}  // namespace detail

/// Ratios at the settings' level, one per token; 1 at masked tokens.
template <class T, class Device>
std::vector<T> ratios(const Tensor<T, Device>& logp, const LossInputs& in, const LossSettings& s) {
  detail::check_inputs(logp.shape(), in, s);
  const auto x = logp.to_vector();
  const auto c = token_constants<T>(x.data(), in, s, loss_totals(in, s));
  return exponentials(log_ratios<T>(x.data(), c, in, s).value);
}

/// The policy loss of logp [N], a differentiable scalar. Values of masked tokens have no effect.
/// Adds to `metrics`, which the micro-batches of a step share.
template <class T, class Device>
Tensor<T, Device> policy_loss(const Tensor<T, Device>& x, const LossInputs& in,
                              const LossSettings& s, const LossTotals& totals,
                              LossMetrics* metrics = nullptr) {
  detail::check_inputs(x.shape(), in, s);
  const std::vector<T> values = x.to_vector();
  const T* logp = values.data();
  const auto c = token_constants<T>(logp, in, s, totals);
  const auto log_ratio = log_ratios<T>(logp, c, in, s);
  const auto ratio = exponentials(log_ratio.value);
  const std::size_t n = ratio.size();
  const auto kl_in = kl_inputs(logp, c, in, s);
  std::vector<T> term(n, T(0)), grad(n, T(0)), ratio_grad(n, T(0));
  std::vector<Objective<T>> objectives(n);
  double kl_sum = 0;
  for (std::size_t t = 0; t < n; ++t) {
    if (!c.kept[t]) continue;
    const T w = c.weight[t], dy = -w * c.factor[t];
    auto& y = objectives[t] =
        objective(log_ratio.value[t], ratio[t], logp[t], c.advantage[t], s, dy);
    ratio_grad[t] = y.ratio_grad;
    grad[t] = y.logp_grad;
    T value = c.factor[t] == 0 ? T(0) : -y.value * c.factor[t];
    if (s.kl != 0) {
      const T r = s.kl_bias_correction ? ratio[t] : T(1), dk = w * static_cast<T>(s.kl);
      const auto kl = kl_term(kl_in.d[t], kl_in.e[t], s, dk * r);
      if (s.kl_bias_correction) ratio_grad[t] += dk * r * kl.value;
      grad[t] += kl.grad;
      value += static_cast<T>(s.kl) * (kl.value * r);
      kl_sum += static_cast<double>(kl.value * r);
    }
    ratio_grad[t] *= log_ratio.level[t];
    term[t] = value * w;
  }
  add_ratio_grad(ratio_grad, log_ratio, c, in, s, grad);
  if (metrics) {
    metrics->kl += kl_sum / std::max(1.0, totals.tokens);
    add_loss_metrics(*metrics, ratio, log_ratio, objectives, c, in, s, totals);
  }
  return detail::sum_with_grad("policy_loss", x, term, grad);
}

/// -coefficient times the mean entropy of the tokens that are trained on, a differentiable scalar.
/// x [N] is the entropy of the same tokens as logp.
template <class T, class Device>
Tensor<T, Device> entropy_bonus(const Tensor<T, Device>& x, const LossInputs& in,
                                const LossSettings& s, const LossTotals& totals,
                                double coefficient) {
  const auto trained = trained_tokens(in, s, totals);
  GAZE_CHECK(x.shape() == Shape({static_cast<Index>(trained.size())}), "entropy_bonus", "entropy ",
             x.shape(), " for ", trained.size(), " tokens");
  const T w = static_cast<T>(-coefficient / std::max(1.0, totals.bonus_tokens));
  const std::vector<T> entropy = x.to_vector();
  std::vector<T> term(trained.size(), T(0)), grad(trained.size(), T(0));
  for (std::size_t t = 0; t < trained.size(); ++t) {
    if (!trained[t]) continue;
    term[t] = w * entropy[t];
    grad[t] = w;
  }
  return detail::sum_with_grad("entropy_bonus", x, term, grad);
}

}  // namespace gaze::rl
