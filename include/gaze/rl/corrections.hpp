// SPDX-License-Identifier: MIT
// Masks and weights of tokens other than clipping: the entropy mask, the off-policy mask, the
// correction for a sampler that differs from the trainer; and the KL term as a reward.
#pragma once
#include <algorithm>
#include <numeric>
#include <span>

#include "gaze/rl/advantage.hpp"
#include "gaze/rl/surrogate.hpp"

namespace gaze::rl {

/// The q-quantile, linear between neighbours; NaN for an empty x.
inline double quantile(std::vector<double> x, double q) {
  if (x.empty()) return detail::no_score;
  std::sort(x.begin(), x.end());
  const double at = q * static_cast<double>(x.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, x.size() - 1);
  return x[below] + (at - static_cast<double>(below)) * (x[above] - x[below]);
}

/// The entropy from which a token is among the `top_entropy` share (Wang et al. 2025).
inline double entropy_threshold(const LossInputs& in, const LossSettings& s) {
  const auto kept = kept_tokens(in, s);
  GAZE_CHECK(in.entropy.size() == kept.size(), "policy_loss", "the entropy mask needs an entropy ",
             "per token, got ", in.entropy.size(), " for ", kept.size());
  std::vector<double> values;
  for (std::size_t t = 0; t < kept.size(); ++t)
    if (kept[t]) values.push_back(in.entropy[t]);
  return quantile(std::move(values), 1 - s.top_entropy);
}

/// The tokens in the policy loss and the entropy bonus: the kept ones of high entropy.
inline std::vector<bool> trained_tokens(const LossInputs& in, const LossSettings& s,
                                        const LossTotals& totals) {
  auto kept = kept_tokens(in, s);
  if (s.top_entropy >= 1) return kept;
  const double from =
      std::isnan(totals.entropy_threshold) ? entropy_threshold(in, s) : totals.entropy_threshold;
  GAZE_CHECK(in.entropy.size() == kept.size(), "policy_loss", "the entropy mask needs an entropy ",
             "per token, got ", in.entropy.size(), " for ", kept.size());
  for (std::size_t t = 0; t < kept.size(); ++t) kept[t] = kept[t] && in.entropy[t] >= from;
  return kept;
}

/// Totals of a step with the entropy mask: its threshold, and the tokens of the entropy bonus.
inline void add_entropy_totals(LossTotals& totals, const LossInputs& in, const LossSettings& s) {
  totals.entropy_threshold = entropy_threshold(in, s);
  const auto trained = trained_tokens(in, s, totals);
  totals.bonus_tokens = static_cast<double>(std::count(trained.begin(), trained.end(), true));
}

namespace detail {

/// A difference of log-probabilities, limited; 0 if one is missing (NaN).
inline double known_difference(double a, double b) {
  const double d = a - b;
  return std::isnan(d) ? 0 : std::clamp(d, -80.0, 80.0);
}

inline double corrected(double w, const ImportanceCorrection& c) {
  if (c.mode == ImportanceCorrection::Mode::truncate) return std::clamp(w, c.low, c.high);
  return w < c.low || w > c.high ? 0 : w;
}

}  // namespace detail

/// The weight exp(old - sampling) of every token, truncated or masked (see ImportanceCorrection);
/// 1 at masked tokens and without a correction.
inline std::vector<double> importance_weights(const LossInputs& in, const LossSettings& s) {
  using Level = ImportanceCorrection::Level;
  const ImportanceCorrection& c = s.correction;
  const auto kept = kept_tokens(in, s);
  std::vector<double> out(kept.size(), 1.0);
  if (c.level == Level::none) return out;
  GAZE_CHECK(in.sampling.size() == kept.size() && in.old.size() == kept.size(), "policy_loss",
             "the importance correction needs the sampler's log-probability and the old one of ",
             kept.size(), " tokens, got ", in.sampling.size(), " and ", in.old.size());
  std::size_t begin = 0;
  for (const Index length : in.lengths) {
    const std::size_t end = begin + static_cast<std::size_t>(length);
    double sum = 0;
    for (std::size_t t = begin; t < end; ++t)
      if (kept[t]) sum += detail::known_difference(in.old[t], in.sampling[t]);
    const double whole = detail::corrected(std::exp(std::clamp(sum, -80.0, 80.0)), c);
    for (std::size_t t = begin; t < end; ++t) {
      if (!kept[t]) continue;
      out[t] =
          c.level == Level::sequence
              ? whole
              : detail::corrected(std::exp(detail::known_difference(in.old[t], in.sampling[t])), c);
    }
    begin = end;
  }
  return out;
}

/// Tokens of the completions that keep their policy loss: those with A >= 0, and those with a mean
/// of (sampling - lp) <= off_policy_limit (DeepSeek-V3.2). Uses `old` without `sampling`.
/// `advantage` has one value per token.
template <class T>
std::vector<bool> on_policy_tokens(const T* logp, const std::vector<T>& advantage,
                                   const LossInputs& in, const LossSettings& s) {
  const auto kept = kept_tokens(in, s);
  std::vector<bool> out(kept.size(), true);
  if (std::isinf(s.off_policy_limit)) return out;
  const auto& before = in.sampling.empty() ? in.old : in.sampling;
  std::size_t begin = 0;
  for (const Index length : in.lengths) {
    const std::size_t end = begin + static_cast<std::size_t>(length);
    double sum = 0, count = 0;
    for (std::size_t t = begin; t < end; ++t) {
      if (!kept[t] || before.empty()) continue;
      sum += detail::known_difference(before[t], static_cast<double>(logp[t]));
      count += 1;
    }
    const bool near = sum / std::max(1.0, count) <= s.off_policy_limit;
    for (std::size_t t = begin; t < end; ++t) out[t] = advantage[t] >= 0 || near;
    begin = end;
  }
  return out;
}

/// The KL estimate between `old` and `ref` summed over each completion; times -weight, a reward
/// (RLOO, REINFORCE++).
inline std::vector<double> completion_kl(const LossInputs& in, const LossSettings& s,
                                         KlEstimator estimator) {
  const auto kept = kept_tokens(in, s);
  GAZE_CHECK(in.old.size() == kept.size() && in.ref.size() == kept.size(), "completion_kl",
             kept.size(), " tokens, ", in.old.size(), " old log-probabilities, ", in.ref.size(),
             " of the reference");
  std::vector<double> out;
  std::size_t t = 0;
  for (const Index length : in.lengths) {
    double sum = 0;
    for (Index i = 0; i < length; ++i, ++t) {
      if (!kept[t]) continue;
      const double d = std::clamp(in.ref[t] - in.old[t], -s.kl_log_limit, s.kl_log_limit);
      sum += kl_estimate(d, std::exp(d), estimator, 0.0).value;
    }
    out.push_back(sum);
  }
  return out;
}

/// The mean over all tokens of the k3 estimate of KL(old || ref), to measure a distance: tokens
/// that the loss leaves out count too, and no limit but that of the exponent applies.
inline double mean_kl(const LossInputs& in) {
  const auto kl = completion_kl(in, {}, KlEstimator::k3);
  return std::accumulate(kl.begin(), kl.end(), 0.0) /
         std::max(1.0, static_cast<double>(in.old.size()));
}

/// Adds a column with weight 1 to the table: a reward or punishment of each completion. Rows
/// without a score stay without one.
inline void add_reward(RewardTable& table, const std::string& name,
                       std::span<const double> values) {
  GAZE_CHECK(values.size() == table.rows.size(), "add_reward", values.size(), " values for ",
             table.rows.size(), " completions");
  if (!table.weights.empty()) table.weights.push_back(1);
  if (!table.names.empty()) table.names.push_back(name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& row = table.rows[i];
    const bool any =
        std::any_of(row.begin(), row.end(), [](const Score& r) { return r.has_value(); });
    row.push_back(any ? Score(values[i]) : Score());
  }
}

}  // namespace gaze::rl
