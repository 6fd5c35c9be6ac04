// SPDX-License-Identifier: MIT
// The policy loss on orthogonal axes: ratio level, clipping, aggregation, KL. A variant of GRPO is
// a row of settings (variants.hpp), never a branch.
#pragma once
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/rows.hpp"

namespace gaze::rl {

/// token: r_t = exp(lp_t - old_t). sequence: one ratio per completion, the geometric mean of its
/// tokens' (GSPO: Zheng et al. 2025).
enum class RatioLevel { token, sequence };

/// How per-token losses become one number; B completions with |o_i| tokens, N tokens in all.
///   sequence_mean: (1/B) sum_i (1/|o_i|) sum_t     (GRPO)
///   token_mean:    (1/N) sum_i sum_t               (DAPO)
///   fixed_length:  (1/(B L)) sum_i sum_t, L = max_length   (Dr. GRPO)
enum class Aggregation { sequence_mean, token_mean, fixed_length };

/// Estimators of KL(policy || reference) per token, with d = ref - lp (Schulman 2020):
/// k1 = -d, k2 = d^2 / 2, k3 = e^d - d - 1.
enum class KlEstimator { k1, k2, k3 };

struct LossSettings {
  RatioLevel ratio = RatioLevel::token;
  double clip_low = 0.2, clip_high = 0.2;
  Aggregation aggregation = Aggregation::token_mean;
  double max_length = 1;  // L of fixed_length
  double kl = 0;          // weight of the KL term; 0: no reference is needed
  KlEstimator estimator = KlEstimator::k3;
  bool mask_truncated = false;  // completions without an end token give no loss
};

/// What the loss is computed from; tokens lie completion by completion. `old` are the
/// log-probabilities at the time of the rollout, `ref` those of the reference (empty: none).
struct LossInputs {
  std::vector<Index> lengths;      // tokens of each completion
  std::vector<double> advantages;  // one per completion
  std::vector<bool> truncated;     // one per completion; empty: none
  std::vector<float> old, ref;     // one per token
};

struct LossMetrics {
  double kl = 0, clip_low = 0, clip_high = 0, ratio_min = 1, ratio_max = 1;
};

/// Sizes over which one optimiser step averages; micro-batches share them so that their losses
/// add up to the whole batch's.
struct LossTotals {
  double completions = 0, tokens = 0;
};

namespace detail {
inline bool masked(const LossInputs& in, const LossSettings& s, std::size_t completion) {
  return s.mask_truncated && !in.truncated.empty() && in.truncated[completion];
}
}  // namespace detail

inline LossTotals loss_totals(const LossInputs& in, const LossSettings& s) {
  LossTotals out;
  for (std::size_t i = 0; i < in.lengths.size(); ++i) {
    out.completions += 1;
    if (detail::masked(in, s, i)) continue;
    out.tokens += static_cast<double>(in.lengths[i]);
  }
  return out;
}

namespace detail {

/// Per token: its completion, advantage and weight in the sum, and its place; -1 where masked.
template <class T>
struct TokenConstants {
  Tensor<T, Cpu> advantage, weight;
  Indices<Cpu> completion, place;
  std::vector<T> inverse_length;
};

template <class T>
TokenConstants<T> token_constants(const LossInputs& in, const LossSettings& s,
                                  const LossTotals& totals) {
  std::vector<T> advantage, weight;
  TokenConstants<T> out;
  std::vector<std::int32_t> completion, place;
  for (std::size_t i = 0; i < in.lengths.size(); ++i) {
    const auto length = static_cast<double>(in.lengths[i]);
    const bool out_of_loss = masked(in, s, i);
    double w = 0;
    if (s.aggregation == Aggregation::sequence_mean) w = 1 / (totals.completions * length);
    if (s.aggregation == Aggregation::token_mean) w = 1 / std::max(1.0, totals.tokens);
    if (s.aggregation == Aggregation::fixed_length) w = 1 / (totals.completions * s.max_length);
    if (out_of_loss) w = 0;
    out.inverse_length.push_back(static_cast<T>(1 / length));
    for (Index t = 0; t < in.lengths[i]; ++t) {
      advantage.push_back(static_cast<T>(in.advantages[i]));
      weight.push_back(static_cast<T>(w));
      completion.push_back(static_cast<std::int32_t>(i));
      place.push_back(out_of_loss ? -1 : static_cast<std::int32_t>(place.size()));
    }
  }
  const Index n = static_cast<Index>(weight.size());
  out.advantage = Tensor<T, Cpu>::from({n}, advantage);
  out.weight = Tensor<T, Cpu>::from({n}, weight);
  out.completion = Indices<Cpu>::from({n}, completion);
  out.place = Indices<Cpu>::from({n}, place);
  return out;
}

/// Values per token, 0 where masked: a weight of 0 alone would let an infinity through as NaN.
template <class T>
Tensor<T, Cpu> unmasked(const Tensor<T, Cpu>& x, const TokenConstants<T>& c) {
  return reshape(gather_rows(reshape(x, {x.numel(), 1}), c.place), {x.numel()});
}
template <class T>
Tensor<T, Cpu> unmasked(const std::vector<float>& values, const TokenConstants<T>& c) {
  return unmasked(Tensor<T, Cpu>::from({static_cast<Index>(values.size())},
                                       std::vector<T>(values.begin(), values.end())),
                  c);
}

/// The mean of a per-token value over each completion, put back on its tokens.
template <class T>
Tensor<T, Cpu> completion_mean(const Tensor<T, Cpu>& x, const TokenConstants<T>& c) {
  const Index n = x.numel(), b = static_cast<Index>(c.inverse_length.size());
  const auto sums = scatter_add_rows(reshape(x, {n, 1}), c.completion, b);
  const auto means = mul(sums, Tensor<T, Cpu>::from({b, 1}, c.inverse_length));
  return reshape(gather_rows(means, c.completion), {n});
}

template <class T>
Tensor<T, Cpu> kl_term(const Tensor<T, Cpu>& logp, const Tensor<T, Cpu>& ref, KlEstimator e) {
  const auto d = sub(ref, logp);
  if (e == KlEstimator::k1) return neg(d);
  if (e == KlEstimator::k2) return scale(square(d), T(0.5));
  return sub(sub(exp(d), d), Tensor<T, Cpu>::scalar(1));
}

}  // namespace detail

/// sum_t weight_t (-min(r_t A, clip(r_t, 1 - low, 1 + high) A) + kl KL_t), differentiable in logp
/// [N]. Masked tokens are kept out whatever their values. (PPO: Schulman et al. 2017.)
template <class T>
Tensor<T, Cpu> policy_loss(const Tensor<T, Cpu>& all_logp, const LossInputs& in,
                           const LossSettings& s, const LossTotals& totals,
                           LossMetrics* metrics = nullptr) {
  Index tokens = 0;
  for (const Index length : in.lengths) tokens += length;
  GAZE_CHECK(all_logp.shape() == Shape({tokens}) && static_cast<Index>(in.old.size()) == tokens &&
                 in.advantages.size() == in.lengths.size(),
             "policy_loss", "logp ", all_logp.shape(), " for ", tokens, " tokens, ", in.old.size(),
             " old log-probabilities, ", in.advantages.size(), " advantages");
  GAZE_CHECK(s.kl == 0 || static_cast<Index>(in.ref.size()) == tokens, "policy_loss",
             "KL needs a reference log-probability per token, got ", in.ref.size());
  const auto c = detail::token_constants<T>(in, s, totals);
  const auto logp = detail::unmasked(all_logp, c);
  auto log_ratio = sub(logp, detail::unmasked(in.old, c));
  if (s.ratio == RatioLevel::sequence) log_ratio = detail::completion_mean(log_ratio, c);
  const auto ratio = exp(log_ratio);
  const T low = static_cast<T>(1 - s.clip_low), high = static_cast<T>(1 + s.clip_high);
  const auto objective =
      minimum(mul(ratio, c.advantage), mul(clamp(ratio, low, high), c.advantage));
  auto per_token = neg(objective);
  Tensor<T, Cpu> kl;
  if (s.kl != 0) {
    kl = detail::kl_term(logp, detail::unmasked(in.ref, c), s.estimator);
    per_token = add(per_token, scale(kl, static_cast<T>(s.kl)));
  }
  const double count = std::max(1.0, totals.tokens);
  if (metrics)
    for (Index i = 0; i < tokens; ++i) {
      const double r = ratio.data()[i], a = c.advantage.data()[i];
      metrics->ratio_min = std::min(metrics->ratio_min, r);
      metrics->ratio_max = std::max(metrics->ratio_max, r);
      metrics->clip_low += (r < low && a < 0) / count;
      metrics->clip_high += (r > high && a > 0) / count;
      if (kl.defined()) metrics->kl += kl.data()[i] / count;
    }
  return sum(mul(per_token, c.weight));
}

}  // namespace gaze::rl
