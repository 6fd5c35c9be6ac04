// SPDX-License-Identifier: MIT
// The policy loss on orthogonal axes: ratio level, surrogate, masks and corrections, KL,
// aggregation. One operation; its derivative with respect to the log-probabilities is made
// beside the value.
//
//   loss = sum_t weight_t (-c_t J(l_t, lp_t, A_t) + kl KL_t)
//
// where l is the log-ratio at its level, J the surrogate's objective, c_t the product of masks
// and corrections, weight_t what the aggregation gives a token.
#pragma once
#include "gaze/ops/elementwise.hpp"
#include "gaze/rl/corrections.hpp"

namespace gaze::rl {

namespace detail {

/// The CPU's kernels, looked up when used: this header does not choose who defines them. The loss
/// of a few thousand tokens is made on the host, whatever the device of the log-probabilities.
template <class T>
using HostKernels = Kernels<typename Tensor<T, Cpu>::device_type>;

/// One number that depends on x [N] with the given slopes.
template <class T, class Device>
Tensor<T, Device> with_slope(const char* op, const Tensor<T, Device>& x,
                             const std::vector<T>& terms, const std::vector<T>& slope) {
  const Index n = static_cast<Index>(terms.size());
  auto y = Tensor<T, Device>::scalar(static_cast<T>(HostKernels<T>::sum(n, terms.data())));
  if (recorded(x))
    record(
        op, y,
        [op, slope = Tensor<T, Device>::from(x.shape(), slope), to = x.node()](const auto& dy) {
          to->take(gaze::detail::binary_values(BroadcastOp::mul, op, slope, dy));
        },
        x);
  return y;
}

/// Everything a token needs that does not depend on the policy.
template <class T>
struct TokenConstants {
  std::vector<bool> kept;
  std::vector<T> advantage, weight, factor;  // per token; factor: corrections and entropy mask
  std::vector<T> inverse_length;             // per completion, of its kept tokens
  std::vector<T> importance;                 // per token
};

/// What the aggregation gives each kept token of a completion with `count` of them.
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
  // The gamma weight takes the correction into its own exponent.
  const bool weigh = s.surrogate != Surrogate::gamma;
  for (std::size_t t = 0; t < n; ++t)
    c.factor.push_back(!trained[t] || !near[t] ? T(0) : weigh ? c.importance[t] : T(1));
  return c;
}

/// Log-ratios at their level, and the slope (1 or 0) of each token's own.
template <class T>
struct LogRatios {
  std::vector<T> value, own, level;  // level: the slope of what a completion shares
  std::vector<T> plain;              // before any clipping in log space, for the metrics
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

template <class T>
T limited(T x, double limit, T& slope) {
  const T l = static_cast<T>(limit);
  if (!(std::abs(x) > l)) return x;
  slope = 0;
  return std::copysign(l, x);
}

/// The completion's sum or mean in place of each token's own log-ratio.
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

template <class T>
LogRatios<T> log_ratios(const T* logp, const TokenConstants<T>& c, const LossInputs& in,
                        const LossSettings& s) {
  const std::size_t n = c.kept.size();
  LogRatios<T> y{std::vector<T>(n, T(0)), std::vector<T>(n, T(1)), std::vector<T>(n, T(1)), {}};
  for (std::size_t t = 0; t < n; ++t) {
    if (!c.kept[t]) continue;
    const T old = in.old.empty() ? logp[t] : static_cast<T>(in.old[t]);
    y.value[t] = limited(logp[t] - old, s.token_log_limit, y.own[t]);
  }
  y.plain = y.value;
  if (s.surrogate == Surrogate::log_clip)
    for (std::size_t t = 0; t < n; ++t) {
      if (!c.kept[t]) continue;
      const auto [value, slope] = clipped_log_ratio(y.value[t], c.advantage[t], s);
      y.value[t] = value;
      y.own[t] *= slope;
    }
  if (s.ratio != RatioLevel::token) share(y, c, in, s);
  for (std::size_t t = 0; t < n; ++t)
    y.value[t] = limited(y.value[t], s.log_ratio_limit, y.level[t]);
  return y;
}

/// e^x of each, by the engine's own exponential.
template <class T>
std::vector<T> exponentials(const std::vector<T>& x) {
  std::vector<T> y(x.size());
  HostKernels<T>::unary_forward(args::UnaryForward<T>{
      .op = UnaryOp::exp, .n = static_cast<Index>(x.size()), .x = x.data(), .y = y.data()});
  return y;
}

/// The derivative through the log-ratios, from that with respect to each token's l.
template <class T>
void spread_slope(const std::vector<T>& through, const LogRatios<T>& ratios,
                  const TokenConstants<T>& c, const LossInputs& in, const LossSettings& s,
                  std::vector<T>& slope) {
  each_completion(in, [&](std::size_t i, std::size_t begin, std::size_t end) {
    T sum = 0;
    for (std::size_t t = begin; t < end; ++t) sum += through[t];
    if (s.ratio == RatioLevel::sequence) sum *= c.inverse_length[i];
    const bool shared = s.ratio == RatioLevel::sequence || s.ratio == RatioLevel::sequence_sum;
    for (std::size_t t = begin; t < end; ++t)
      if (c.kept[t]) slope[t] += (shared ? sum : through[t]) * ratios.own[t];
  });
}

/// Is a token's ratio clipped? low, high: against its advantage's sign, where it matters.
struct ClipFlags {
  bool low, high, outside;
};
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
void add_metrics(LossMetrics& m, const std::vector<T>& ratio, const LogRatios<T>& ratios,
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
  const auto c = detail::token_constants<T>(x.data(), in, s, loss_totals(in, s));
  return detail::exponentials(detail::log_ratios<T>(x.data(), c, in, s).value);
}

/// The policy loss of logp [N], differentiable in it. Masked tokens are kept out whatever their
/// values. `metrics` are added to: micro-batches of a step share them.
template <class T, class Device>
Tensor<T, Device> policy_loss(const Tensor<T, Device>& x, const LossInputs& in,
                              const LossSettings& s, const LossTotals& totals,
                              LossMetrics* metrics = nullptr) {
  detail::check_inputs(x.shape(), in, s);
  const std::vector<T> values = x.to_vector();
  const T* logp = values.data();
  const auto c = detail::token_constants<T>(logp, in, s, totals);
  const auto log_ratio = detail::log_ratios<T>(logp, c, in, s);
  const auto ratio = detail::exponentials(log_ratio.value);
  const std::size_t n = ratio.size();
  std::vector<T> term(n, T(0)), slope(n, T(0)), through(n, T(0)), kl_d(n, T(0)), kl_e;
  if (s.kl != 0) {
    for (std::size_t t = 0; t < n; ++t)
      if (c.kept[t]) kl_d[t] = static_cast<T>(in.ref[t]) - logp[t];
    std::vector<T> bounded(kl_d);
    const T limit = static_cast<T>(s.kl_log_limit);
    for (T& d : bounded) d = std::min(std::max(d, -limit), limit);
    kl_e = detail::exponentials(bounded);
  }
  std::vector<Objective<T>> objectives(n);
  double kl_sum = 0;
  for (std::size_t t = 0; t < n; ++t) {
    if (!c.kept[t]) continue;
    const T w = c.weight[t], dy = -w * c.factor[t];
    auto& y = objectives[t] =
        objective(log_ratio.value[t], ratio[t], logp[t], c.advantage[t], s, dy);
    through[t] = y.through;
    slope[t] = y.direct;
    T value = c.factor[t] == 0 ? T(0) : -y.value * c.factor[t];
    if (s.kl != 0) {
      const T r = s.kl_bias_correction ? ratio[t] : T(1), dk = w * static_cast<T>(s.kl);
      const auto kl = kl_term(kl_d[t], kl_e[t], s, dk * r);
      if (s.kl_bias_correction) through[t] += dk * r * kl.value;
      slope[t] += kl.slope;
      value += static_cast<T>(s.kl) * (kl.value * r);
      kl_sum += static_cast<double>(kl.value * r);
    }
    through[t] *= log_ratio.level[t];
    term[t] = value * w;
  }
  detail::spread_slope(through, log_ratio, c, in, s, slope);
  if (metrics) {
    metrics->kl += kl_sum / std::max(1.0, totals.tokens);
    detail::add_metrics(*metrics, ratio, log_ratio, objectives, c, in, s, totals);
  }
  return detail::with_slope("policy_loss", x, term, slope);
}

/// -coefficient times the mean entropy of the tokens that are trained on: entropy [N] of the same
/// tokens as logp, differentiable in it.
template <class T, class Device>
Tensor<T, Device> entropy_bonus(const Tensor<T, Device>& x, const LossInputs& in,
                                const LossSettings& s, const LossTotals& totals,
                                double coefficient) {
  const auto trained = trained_tokens(in, s, totals);
  GAZE_CHECK(x.shape() == Shape({static_cast<Index>(trained.size())}), "entropy_bonus", "entropy ",
             x.shape(), " for ", trained.size(), " tokens");
  const T w = static_cast<T>(-coefficient / std::max(1.0, totals.bonus_tokens));
  const std::vector<T> entropy = x.to_vector();
  std::vector<T> term(trained.size(), T(0)), slope(trained.size(), T(0));
  for (std::size_t t = 0; t < trained.size(); ++t) {
    if (!trained[t]) continue;
    term[t] = w * entropy[t];
    slope[t] = w;
  }
  return detail::with_slope("entropy_bonus", x, term, slope);
}

/// The adaptive entropy bonus (Skywork-OR1: He et al. 2025): the coefficient rises while the
/// entropy is at or below its target and falls above, and is applied only at or below.
struct AdaptiveEntropy {
  double coefficient = 0, least = 0, most = 1, step = 0.005, target = 0.2;
  double last = std::numeric_limits<double>::infinity();  // entropy of the step before

  void check() const {
    GAZE_CHECK(least >= 0 && least <= coefficient && coefficient <= most, "grpo",
               "the adaptive entropy's coefficient ", coefficient, " is not in [", least, ", ",
               most, "]");
    detail::check_setting("grpo", "adaptive.most", most);
    detail::check_setting("grpo", "adaptive.step", step);
    detail::check_setting("grpo", "adaptive.target", target);
  }
  double applied() const { return last <= target ? coefficient : 0; }
  void update(double entropy) {
    coefficient = entropy <= target ? std::min(coefficient + step, most)
                                    : std::max(coefficient - step, least);
    last = entropy;
  }
};

}  // namespace gaze::rl
