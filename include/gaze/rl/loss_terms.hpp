// SPDX-License-Identifier: MIT
// The per-token terms of the policy loss: constants, log-ratios at their level with gradients, the
// inputs of the KL term, and the metrics.
#pragma once
#include "gaze/ops/elementwise.hpp"
#include "gaze/rl/corrections.hpp"

namespace gaze::rl {

/// The CPU's kernels, as a dependent type: this header does not choose which header defines them.
/// The loss, of a few thousand tokens, is computed on the host whatever the device of logp.
template <class T>
using HostKernels = Kernels<typename Tensor<T, Cpu>::device_type>;

/// The per-token factors of the loss that are constant in logp.
template <class T>
struct TokenConstants {
  std::vector<bool> kept;
  std::vector<T> advantage, weight, factor;  // per token; factor: corrections and entropy mask
  std::vector<T> inverse_length;             // per completion, of its kept tokens
  std::vector<T> importance;                 // per token
};

/// The aggregation's weight of each kept token of a completion with `count` of them.
inline double aggregation_weight(const LossSettings& s, const LossTotals& totals, double count,
                                 double micro_tokens) {
  const double b = s.mean_over_active ? std::max(1.0, totals.active) : totals.completions;
  switch (s.aggregation) {
    case Aggregation::sequence_mean:
      return 1 / (b * count);
    case Aggregation::token_mean:
      return 1 / std::max(1.0, totals.tokens);
    case Aggregation::fixed_length:
      return 1 / (b * s.max_length);
    case Aggregation::micro_token_mean:
      return 1 / (std::max(1.0, micro_tokens) * totals.micro_batches);
    case Aggregation::token_sum:
      return 1;
    case Aggregation::sequence_sum:
      return 1 / b;
  }
  return 0;
}

/// `logp` [N] is used for the off-policy mask only.
template <class T>
TokenConstants<T> token_constants(const T* logp, const LossInputs& in, const LossSettings& s,
                                  const LossTotals& totals) {
  TokenConstants<T> c;
  c.kept = kept_tokens(in, s);
  const std::size_t n = c.kept.size();
  const auto micro_tokens = static_cast<double>(std::count(c.kept.begin(), c.kept.end(), true));
  const bool per_token = in.advantages.size() != in.lengths.size();
  std::size_t at = 0;
  for (std::size_t i = 0; i < in.lengths.size(); ++i) {
    const std::size_t end = at + static_cast<std::size_t>(in.lengths[i]);
    double count = 0;
    for (std::size_t t = at; t < end; ++t) count += c.kept[t];
    const double w = aggregation_weight(s, totals, count, micro_tokens);
    c.inverse_length.push_back(static_cast<T>(1 / std::max(1.0, count)));
    for (; at < end; ++at) {
      c.advantage.push_back(static_cast<T>(in.advantages[per_token ? at : i]));
      c.weight.push_back(c.kept[at] ? static_cast<T>(w) : T(0));
    }
  }
  const auto importance = importance_weights(in, s);
  c.importance.assign(importance.begin(), importance.end());
  const auto trained = trained_tokens(in, s, totals);
  const auto near = on_policy_tokens(logp, c.advantage, in, s);
  // The gamma weight has the correction in its exponent.
  const bool weigh = s.surrogate != Surrogate::gamma;
  for (std::size_t t = 0; t < n; ++t)
    c.factor.push_back(!trained[t] || !near[t] ? T(0) : weigh ? c.importance[t] : T(1));
  return c;
}

/// Log-ratios at their level, and their derivatives (1, or 0 beyond a limit): with respect to the
/// token's own log-ratio (own) and to the value at its level (level).
template <class T>
struct LogRatios {
  std::vector<T> value, own, level;
  std::vector<T> plain;  // before any clipping in log space, for the metrics
};

/// Calls f(completion, first token, end).
inline void each_completion(const LossInputs& in, auto f) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < in.lengths.size(); ++i) {
    const std::size_t end = begin + static_cast<std::size_t>(in.lengths[i]);
    f(i, begin, end);
    begin = end;
  }
}

namespace detail {

/// x clamped to [-limit, limit]; sets grad to 0 beyond it.
template <class T>
T limited(T x, double limit, T& grad) {
  const T l = static_cast<T>(limit);
  if (!(std::abs(x) > l)) return x;
  grad = 0;
  return std::copysign(l, x);
}

/// Replaces each token's log-ratio by the completion's sum or mean.
template <class T>
void share(LogRatios<T>& y, const TokenConstants<T>& c, const LossInputs& in,
           const LossSettings& s) {
  each_completion(in, [&](std::size_t i, std::size_t begin, std::size_t end) {
    T sum = 0;
    for (std::size_t t = begin; t < end; ++t) {
      if (!c.kept[t]) continue;
      sum += y.value[t];
      if (s.surrogate == Surrogate::gamma &&
          s.correction.level == ImportanceCorrection::Level::token)
        sum += static_cast<T>(std::log(std::max(1e-8, static_cast<double>(c.importance[t]))));
    }
    if (s.surrogate == Surrogate::gamma &&
        s.correction.level == ImportanceCorrection::Level::sequence && begin < end)
      sum += static_cast<T>(std::log(std::max(1e-8, static_cast<double>(c.importance[begin]))));
    if (s.ratio != RatioLevel::sequence_sum) sum *= c.inverse_length[i];
    for (std::size_t t = begin; t < end; ++t) y.value[t] = c.kept[t] ? sum : T(0);
  });
}

}  // namespace detail

/// Log-ratios of all tokens at the level of the settings; 0 at masked tokens.
template <class T>
LogRatios<T> log_ratios(const T* logp, const TokenConstants<T>& c, const LossInputs& in,
                        const LossSettings& s) {
  const std::size_t n = c.kept.size();
  LogRatios<T> y{std::vector<T>(n, T(0)), std::vector<T>(n, T(1)), std::vector<T>(n, T(1)), {}};
  for (std::size_t t = 0; t < n; ++t) {
    if (!c.kept[t]) continue;
    const T old = in.old.empty() ? logp[t] : static_cast<T>(in.old[t]);
    y.value[t] = detail::limited(logp[t] - old, s.token_log_limit, y.own[t]);
  }
  y.plain = y.value;
  if (s.surrogate == Surrogate::log_clip)
    for (std::size_t t = 0; t < n; ++t) {
      if (!c.kept[t]) continue;
      const auto [value, grad] = clipped_log_ratio(y.value[t], c.advantage[t], s);
      y.value[t] = value;
      y.own[t] *= grad;
    }
  if (s.ratio != RatioLevel::token) detail::share(y, c, in, s);
  for (std::size_t t = 0; t < n; ++t)
    y.value[t] = detail::limited(y.value[t], s.log_ratio_limit, y.level[t]);
  return y;
}

/// exp(x) of each value, by the engine's own exponential: the same bits as in the kernels.
template <class T>
std::vector<T> exponentials(const std::vector<T>& x) {
  std::vector<T> y(x.size());
  HostKernels<T>::unary_forward(args::UnaryForward<T>{
      .op = UnaryOp::exp, .n = static_cast<Index>(x.size()), .x = x.data(), .y = y.data()});
  return y;
}

/// Adds the gradient through the log-ratios, given `ratio_grad` with respect to each token's l.
template <class T>
void add_ratio_grad(const std::vector<T>& ratio_grad, const LogRatios<T>& ratios,
                    const TokenConstants<T>& c, const LossInputs& in, const LossSettings& s,
                    std::vector<T>& grad) {
  each_completion(in, [&](std::size_t i, std::size_t begin, std::size_t end) {
    T sum = 0;
    for (std::size_t t = begin; t < end; ++t) sum += ratio_grad[t];
    if (s.ratio == RatioLevel::sequence) sum *= c.inverse_length[i];
    const bool shared = s.ratio == RatioLevel::sequence || s.ratio == RatioLevel::sequence_sum;
    for (std::size_t t = begin; t < end; ++t)
      if (c.kept[t]) grad[t] += (shared ? sum : ratio_grad[t]) * ratios.own[t];
  });
}

/// d = ref - lp of the kept tokens, and exp(d) with d limited; for the KL term, else empty.
template <class T>
struct KlInputs {
  std::vector<T> d, e;
};
/// Computes them for a micro-batch; empty without a KL term.
template <class T>
KlInputs<T> kl_inputs(const T* logp, const TokenConstants<T>& c, const LossInputs& in,
                      const LossSettings& s) {
  if (s.kl == 0) return {};
  std::vector<T> d(c.kept.size(), T(0));
  for (std::size_t t = 0; t < d.size(); ++t)
    if (c.kept[t]) d[t] = static_cast<T>(in.ref[t]) - logp[t];
  std::vector<T> limited(d);
  const T limit = static_cast<T>(s.kl_log_limit);
  for (T& x : limited) x = std::min(std::max(x, -limit), limit);
  return {std::move(d), exponentials(limited)};
}

/// Is a token's ratio clipped? low, high: on the side where clipping changes the objective.
struct ClipFlags {
  bool low, high, outside;
};
/// For a token of log-ratio `plain`, ratio r and advantage a.
template <class T>
ClipFlags clip_flags(T plain, T r, T a, const LossSettings& s) {
  const ClipRange<T> range(s);
  const bool logs = s.surrogate == Surrogate::log_clip;
  const bool below = logs ? plain < static_cast<T>(-s.clip_low) : r < range.low;
  const bool above = logs ? plain > static_cast<T>(s.clip_high) : r > range.high;
  return {below && a < 0, above && a > 0, below || above};
}

/// Adds this micro-batch to the step's metrics.
template <class T>
void add_loss_metrics(LossMetrics& m, const std::vector<T>& ratio, const LogRatios<T>& ratios,
                      const std::vector<Objective<T>>& objectives, const TokenConstants<T>& c,
                      const LossInputs& in, const LossSettings& s, const LossTotals& totals) {
  const bool per_token = s.ratio == RatioLevel::token || s.surrogate == Surrogate::log_clip;
  each_completion(in, [&](std::size_t, std::size_t begin, std::size_t end) {
    double low = 0, high = 0, outside = 0, dual = 0, weight = 0, count = 0;
    for (std::size_t t = begin; t < end; ++t) {
      if (!c.kept[t]) continue;
      const auto flags = clip_flags(ratios.plain[t], ratio[t], c.advantage[t], s);
      m.ratio_min = std::min(m.ratio_min, static_cast<double>(ratio[t]));
      m.ratio_max = std::max(m.ratio_max, static_cast<double>(ratio[t]));
      low += flags.low;
      high += flags.high;
      outside += flags.outside;
      dual += objectives[t].dual;
      weight += static_cast<double>(objectives[t].weight);
      count += 1;
    }
    if (count == 0) {  // one ratio per completion: it is 1 here, and not clipped
      if (!per_token) m.clip_low_min = std::min(m.clip_low_min, 0.0);
      if (!per_token) m.clip_high_max = std::max(m.clip_high_max, 0.0);
      return;
    }
    const double share =
        per_token ? 1 / std::max(1.0, totals.tokens) : 1 / (count * totals.completions);
    m.clip_low += low * share;
    m.clip_high += high * share;
    m.clip_outside += outside * share;
    m.clip_dual += dual * share;
    m.weight_mean += weight * share;
    m.clip_low_min = std::min(m.clip_low_min, low / count);
    m.clip_high_max = std::max(m.clip_high_max, high / count);
  });
}

}  // namespace gaze::rl
