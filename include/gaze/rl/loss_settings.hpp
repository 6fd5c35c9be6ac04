// SPDX-License-Identifier: MIT
// The axes, inputs, totals and metrics of the policy loss.
//
// A variant of GRPO is a row of these settings (variants.hpp), never a branch. docs/grpo.md maps
// each setting to the options of TRL and verl.
#pragma once
#include <cmath>
#include <limits>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze::rl {

namespace detail {
/// Throws unless a setting is in [min, max].
inline void check_setting(const char* where, const char* name, double value, double min = 0,
                          double max = std::numeric_limits<double>::max()) {
  const bool open = max >= std::numeric_limits<double>::max();
  GAZE_CHECK(value >= min && value <= max, where, name, " must be a ",
             std::isinf(max) ? "" : "finite ", "number of at least ", min,
             open ? "" : concat(" and at most ", max), ", got ", value);
}
}  // namespace detail

/// The level of a ratio r = exp(l); d_t = lp_t - old_t.
///   token:          l = d_t
///   sequence:       l = mean of d over the completion (GSPO: Zheng et al. 2025)
///   sequence_token: the same value, but the gradient is that of d_t (GSPO-token)
///   sequence_sum:   l = sum of d over the completion (RLOO, VESPO)
enum class RatioLevel { token, sequence, sequence_token, sequence_sum };

/// The objective of ratio and advantage (formulas in surrogate.hpp).
///   clip:     PPO's (Schulman et al. 2017), with dual clip and two-sided delta as settings
///   weight:   the log-probability, weighted by a clipped ratio without gradient (CISPO: MiniMax
///             2025); with a width of 0 the weight is 1: plain policy gradient
///   soft:     a sigmoid gate (SAPO: Gao et al. 2025)
///   gamma:    a gamma-shaped weight of the sequence (VESPO: 2026)
///   log_clip: log-ratios clipped one by one before their mean (GMPO: Zhao et al. 2025)
enum class Surrogate { clip, weight, soft, gamma, log_clip };

/// The clip interval: [1 - low, 1 + high] or [low, high].
enum class Bounds { around_one, absolute };

/// How per-token losses become one number; B completions with |o_i| tokens, N tokens in all.
///   sequence_mean:    (1/B) sum_i (1/|o_i|) sum_t   (GRPO)
///   token_mean:       (1/N) sum_i sum_t             (DAPO)
///   fixed_length:     (1/(B L)) sum_i sum_t, L = max_length   (Dr. GRPO)
///   micro_token_mean: the mean of the micro-batches' token means   (TRL's bnpo)
///   token_sum:        sum_i sum_t
///   sequence_sum:     (1/B) sum_i sum_t             (LUSPO)
enum class Aggregation {
  sequence_mean,
  token_mean,
  fixed_length,
  micro_token_mean,
  token_sum,
  sequence_sum
};

/// Estimators of KL(policy || reference) per token, with d = ref - lp (Schulman 2020):
/// k1 = -d, k2 = d^2 / 2, k3 = e^d - d - 1, absolute = |d|.
enum class KlEstimator { k1, k2, k3, absolute };

/// Correction for a sampler whose log-probabilities differ from the trainer's: weights the loss by
/// w = exp(old - sampling), of a token or the whole completion, clamped to [low, high] (truncate)
/// or set to 0 outside (mask). TIS: Yao et al. 2025; MIS: Liu et al. 2025.
struct ImportanceCorrection {
  /// What is corrected: nothing, each token or each completion.
  enum class Level { none, token, sequence };
  /// Weights out of range are limited, or their tokens left out.
  enum class Mode { truncate, mask };
  Level level = Level::none;
  Mode mode = Mode::mask;
  double low = 0, high = 3;
};

/// PAPO's terms (perception-aware policy optimisation: Wang et al. 2025, arXiv 2507.06448), added
/// to the loss of each token (papo.hpp). TRL's PAPO trainer: 0.1, 0.3, 0.03, 0.03.
struct PapoSettings {
  double gamma = 0;       // weight of KL(policy || policy after the masked prompt); rewards it
  double mask = 0.3;      // share of the picture that the task masks
  double eta = 0;         // weight of the policy's entropy; penalises it
  double eta_masked = 0;  // the same after the masked prompt

  /// Whether the masked prompt is run too.
  bool needs_masked() const { return gamma != 0 || eta_masked != 0; }
  bool any() const { return needs_masked() || eta != 0; }  ///< whether any term is used
};

/// The axes that a variant decides.
struct LossAxes {
  RatioLevel ratio = RatioLevel::token;
  double clip_low = 0.2, clip_high = 0.2;
  Aggregation aggregation = Aggregation::token_mean;
  bool mask_truncated = false;  // exclude completions without an end token from the loss

  Surrogate surrogate = Surrogate::clip;
  Bounds bounds = Bounds::around_one;
  double delta = 0;      // clip: upper limit of the unclipped ratio (INTELLECT-2); 0: none
  double dual_clip = 0;  // clip: with A < 0 the objective stays above dual_clip A; 0: off
  double soft_positive = 1, soft_negative = 1.05;  // soft: temperatures by the advantage's sign
  /// Shape of the gamma surrogate on one side.
  struct Gamma {
    double k, lambda;
  };
  Gamma gamma_positive{2, 3}, gamma_negative{3, 2};  // gamma: shapes by the advantage's sign

  /// Limits of exponents, so that not even the product of two overflows in float32: of a token's
  /// log-ratio, of the ratio's l, of d in the KL term. Beyond a limit the gradient is 0.
  double token_log_limit = 40, log_ratio_limit = 40, kl_log_limit = 40;
  double kl_limit = std::numeric_limits<double>::infinity();  // of the KL term's value per token
  bool mean_over_active = false;  // B counts only completions with a token in the loss
};

/// The axes, and the settings of the run, which no variant changes.
struct LossSettings : LossAxes {
  double max_length = 1;  // L of fixed_length
  double kl = 0;          // weight of the KL term; 0: no reference is needed
  KlEstimator estimator = KlEstimator::k3;
  bool kl_bias_correction = false;  // multiply the KL term by the ratio (DeepSeek-V3.2)
  bool kl_k2_gradient = false;      // use the gradient of k2, whatever the estimator

  double top_entropy = 1;    // train only on this share of tokens, those of highest entropy
  double entropy_bonus = 0;  // weight of the mean entropy, subtracted from the loss
  PapoSettings papo = {};
  double pathwise = 0;  // weight of the rewards' gradient through attention
  ImportanceCorrection correction = {};
  /// Completions with A < 0 and a mean of sampling - lp above it get no policy loss.
  double off_policy_limit = std::numeric_limits<double>::infinity();

  LossSettings() = default;
  /// The axes of a variant with the run's defaults; implicit.
  LossSettings(const LossAxes& axes) : LossAxes(axes) {}  // implicit: a variant with run defaults

  /// Throws an Error that names a setting out of range.
  void check() const {
    check_numbers();
    GAZE_CHECK(max_length > 0, "policy_loss", "max_length must be above 0, got ", max_length);
    GAZE_CHECK(dual_clip == 0 || dual_clip > 1, "policy_loss", "dual clip must be above 1, got ",
               dual_clip);
    GAZE_CHECK(soft_positive > 0 && soft_negative > 0, "policy_loss",
               "soft temperatures must be above 0, got ", soft_positive, " and ", soft_negative);
    GAZE_CHECK(top_entropy > 0 && top_entropy <= 1, "policy_loss",
               "the share of high-entropy tokens must be in (0, 1], got ", top_entropy);
    GAZE_CHECK(surrogate != Surrogate::gamma || ratio == RatioLevel::sequence_sum, "policy_loss",
               "gamma weights need the ratio of the summed log-ratios");
    GAZE_CHECK(surrogate != Surrogate::log_clip || ratio == RatioLevel::sequence, "policy_loss",
               "log-space clipping needs the ratio of the mean log-ratio");
    GAZE_CHECK(correction.low >= 0 && correction.low <= correction.high, "policy_loss",
               "importance weights limited to [", correction.low, ", ", correction.high, "]");
    detail::check_setting("policy_loss", "papo.mask", papo.mask, 0, 1);
    GAZE_CHECK(!papo.needs_masked() || papo.mask > 0, "policy_loss",
               "papo.gamma and papo.eta_masked need a papo.mask above 0");
    for (const double limit : {token_log_limit, log_ratio_limit, kl_log_limit})
      GAZE_CHECK(limit > 0 && limit <= 40, "policy_loss",
                 "limits of exponents must be in (0, 40], got ", limit);
  }

 private:
  void check_numbers() const {
    struct Setting {
      const char* name;
      double value;
    };
    for (const auto& [name, value] :
         {Setting{"clip_low", clip_low}, Setting{"clip_high", clip_high},
          Setting{"max_length", max_length}, Setting{"delta", delta},
          Setting{"dual_clip", dual_clip}, Setting{"kl", kl},
          Setting{"entropy_bonus", entropy_bonus}, Setting{"papo.gamma", papo.gamma},
          Setting{"pathwise", pathwise}, Setting{"papo.eta", papo.eta},
          Setting{"papo.eta_masked", papo.eta_masked}, Setting{"soft_positive", soft_positive},
          Setting{"soft_negative", soft_negative}, Setting{"gamma_positive.k", gamma_positive.k},
          Setting{"gamma_positive.lambda", gamma_positive.lambda},
          Setting{"gamma_negative.k", gamma_negative.k},
          Setting{"gamma_negative.lambda", gamma_negative.lambda},
          Setting{"correction.low", correction.low}})
      detail::check_setting("policy_loss", name, value);
    constexpr double none = std::numeric_limits<double>::infinity();  // is no limit
    for (const auto& [name, value] :
         {Setting{"kl_limit", kl_limit}, Setting{"off_policy_limit", off_policy_limit},
          Setting{"correction.high", correction.high}})
      detail::check_setting("policy_loss", name, value, 0, none);
  }
};

/// Inputs of the loss, with tokens completion by completion. Log-probabilities: `old`, at the time
/// of the rollout (empty: the policy's own, a ratio of 1); `ref`, of the reference; `sampling`, of
/// a sampler that differs from the trainer (empty: none). Values at masked tokens are ignored.
struct LossInputs {
  std::vector<Index> lengths;      // tokens of each completion, masked ones included
  std::vector<double> advantages;  // one per completion, or one per token
  std::vector<bool> truncated;     // one per completion; empty: none
  std::vector<double> old, ref;    // one per token
  std::vector<double> sampling;    // one per token
  std::vector<double> entropy;     // one per token, of the policy now; for top_entropy
  std::vector<bool> mask;          // one per token, false: not in the loss; empty: all are
};

/// Means over a step's kept tokens, or over its completions with a ratio per completion.
struct LossMetrics {
  double kl = 0;
  double clip_low = 0, clip_high = 0;  // r below with A < 0, r above with A > 0
  double clip_outside = 0;             // r outside the bounds, whatever A
  double clip_dual = 0;                // dual clip is active
  double clip_low_min = std::numeric_limits<double>::infinity();    // of the completions' means
  double clip_high_max = -std::numeric_limits<double>::infinity();  // likewise
  double ratio_min = 1, ratio_max = 1;
  double weight_mean = 0;  // of the surrogates that weight the log-probability
};

/// The sizes that one optimiser step averages over. Micro-batches share them, so that their losses
/// add up to the loss of the whole batch.
struct LossTotals {
  double completions = 0, tokens = 0;
  double micro_batches = 1;  // for micro_token_mean
  double active = 0;         // completions with a token in the loss
  double bonus_tokens = 0;   // tokens of the entropy bonus
  /// Minimum entropy of a trained token; NaN: policy_loss() computes it from its own batch.
  double entropy_threshold = std::numeric_limits<double>::quiet_NaN();
};

/// Which tokens are in the loss.
inline std::vector<bool> kept_tokens(const LossInputs& in, const LossSettings& s) {
  std::vector<bool> out;
  for (std::size_t i = 0; i < in.lengths.size(); ++i) {
    const bool masked = s.mask_truncated && !in.truncated.empty() && in.truncated[i];
    for (Index t = 0; t < in.lengths[i]; ++t)
      out.push_back(!masked && (in.mask.empty() || in.mask[out.size()]));
  }
  return out;
}

/// The totals of a batch that is not split.
inline LossTotals loss_totals(const LossInputs& in, const LossSettings& s) {
  LossTotals out;
  const auto kept = kept_tokens(in, s);
  std::size_t at = 0;
  for (const Index length : in.lengths) {
    double tokens = 0;
    for (Index t = 0; t < length; ++t) tokens += kept[at++];
    out.completions += 1;
    out.tokens += tokens;
    out.active += tokens > 0;
  }
  out.bonus_tokens = out.tokens;
  return out;
}

}  // namespace gaze::rl
