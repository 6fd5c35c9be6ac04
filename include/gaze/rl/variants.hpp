// SPDX-License-Identifier: MIT
// GRPO variants by name: rows of settings on the axes of advantage.hpp and loss_settings.hpp. Axes
// that a row does not name keep their defaults. No row sets the weight of a KL term: that needs a
// reference, which the run provides.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "gaze/rl/advantage.hpp"
#include "gaze/rl/loss_settings.hpp"

namespace gaze::rl {

/// A named setting of the axes and its source.
struct Variant {
  const char* name;
  const char* source;
  AdvantageSettings advantage = {};
  LossAxes loss = {};
  bool resample_zero_std = false;
};

/// All variants.
inline constexpr std::array variants = {
    Variant{.name = "grpo",
            .source = "Shao et al. 2024, arXiv 2402.03300",
            .loss = {.aggregation = Aggregation::sequence_mean}},
    Variant{.name = "dr_grpo",
            .source = "Liu et al. 2025, arXiv 2503.20783",
            .advantage = {.spread = Spread::none},
            .loss = {.aggregation = Aggregation::fixed_length}},
    Variant{.name = "dapo",
            .source = "Yu et al. 2025, arXiv 2503.14476",
            .loss = {.clip_high = 0.28, .mask_truncated = true},
            .resample_zero_std = true},
    Variant{.name = "gspo",
            .source = "Zheng et al. 2025, arXiv 2507.18071",
            .loss = {.ratio = RatioLevel::sequence,
                     .clip_low = 3e-4,
                     .clip_high = 4e-4,
                     .aggregation = Aggregation::sequence_mean}},
    Variant{.name = "gspo_token",
            .source = "Zheng et al. 2025, arXiv 2507.18071, section 4.3",
            .loss = {.ratio = RatioLevel::sequence_token,
                     .clip_low = 3e-4,
                     .clip_high = 4e-4,
                     .aggregation = Aggregation::sequence_mean}},
    Variant{.name = "bnpo",
            .source = "TRL's loss_type bnpo",
            .loss = {.aggregation = Aggregation::micro_token_mean}},
    Variant{.name = "cispo",
            .source = "MiniMax 2025, arXiv 2506.13585, as in TRL: the weight is at most 5",
            .loss = {.clip_low = 0,
                     .clip_high = 5,
                     .surrogate = Surrogate::weight,
                     .bounds = Bounds::absolute}},
    Variant{.name = "cispo_verl",
            .source = "MiniMax 2025, arXiv 2506.13585, as in verl: the weight is in [0.8, 1.2]",
            .loss = {.surrogate = Surrogate::weight}},
    Variant{.name = "sapo",
            .source = "Gao et al. 2025, arXiv 2511.20347",
            .loss = {.aggregation = Aggregation::sequence_mean, .surrogate = Surrogate::soft}},
    Variant{.name = "luspo",
            .source = "arXiv 2602.05261",
            .loss = {.ratio = RatioLevel::sequence,
                     .clip_low = 2e-3,
                     .clip_high = 2.5e-3,
                     .aggregation = Aggregation::sequence_sum}},
    Variant{.name = "vespo",
            .source = "arXiv 2602.10693",
            .loss = {.ratio = RatioLevel::sequence_sum,
                     .surrogate = Surrogate::gamma,
                     .token_log_limit = 20,
                     .log_ratio_limit = 20}},
    Variant{.name = "gmpo",
            .source = "Zhao et al. 2025, arXiv 2507.20673",
            .loss = {.ratio = RatioLevel::sequence,
                     .clip_low = 0.4,
                     .clip_high = 0.4,
                     .aggregation = Aggregation::sequence_mean,
                     .surrogate = Surrogate::log_clip}},
    Variant{.name = "rloo",
            .source = "Ahmadian et al. 2024, arXiv 2402.14740",
            .advantage = {.spread = Spread::none, .baseline = Baseline::leave_one_out},
            .loss = {.ratio = RatioLevel::sequence_sum, .aggregation = Aggregation::sequence_mean}},
    Variant{.name = "reinforce_plus_plus",
            .source = "Hu 2025, arXiv 2501.03262",
            .advantage = {.spread = Spread::none,
                          .baseline = Baseline::none,
                          .whiten = Whiten::tokens}},
    Variant{.name = "reinforce_plus_plus_baseline",
            .source = "Hu 2025, arXiv 2501.03262",
            .advantage = {.spread = Spread::none, .whiten = Whiten::tokens}},
    Variant{.name = "opo",
            .source = "Hao et al. 2025, arXiv 2505.23585",
            .advantage = {.spread = Spread::none, .baseline = Baseline::length_weighted}},
    Variant{
        .name = "gdpo",
        .source = "Liu et al. 2026, arXiv 2601.05242",
        .advantage = {.objectives = Objectives::normalise_then_sum, .whiten = Whiten::completions},
        .loss = {.aggregation = Aggregation::sequence_mean}},
    Variant{.name = "pass_at_k",
            .source = "Tang et al. 2025, arXiv 2503.19595",
            .advantage = {.spread = Spread::none, .baseline = Baseline::second_best}},
    Variant{.name = "lite_ppo",
            .source = "Liu et al. 2025, arXiv 2508.08221",
            .advantage = {.spread = Spread::batch}},
    Variant{.name = "gpg",
            .source = "Chu et al. 2025, arXiv 2504.02546: policy gradient, no ratio",
            .advantage = {.spread = Spread::nonzero},
            .loss = {.clip_low = 0, .clip_high = 0, .surrogate = Surrogate::weight}},
    Variant{.name = "gpg_verl",
            .source = "verl's adv_estimator and loss_mode gpg: counts rewards that are not 0",
            .advantage = {.spread = Spread::nonzero_rewards},
            .loss = {.clip_low = 0, .clip_high = 0, .surrogate = Surrogate::weight}},
    Variant{.name = "intellect_2",
            .source = "Prime Intellect 2025, arXiv 2505.07291: two-sided clipping",
            .loss = {.delta = 4}},
    Variant{.name = "grpo_trl", .source = "the defaults of TRL's GRPOTrainer: loss_type dapo"},
    Variant{.name = "grpo_verl",
            .source = "the defaults of verl with adv_estimator grpo",
            .advantage = {.eps = 1e-6},
            .loss = {.dual_clip = 3,
                     .token_log_limit = 20,
                     .kl_log_limit = 20,
                     .kl_limit = 10,
                     .mean_over_active = true}},
    Variant{.name = "nanochat",
            .source = "nanochat's policy gradient: no ratio, no deviation",
            .advantage = {.spread = Spread::none},
            .loss = {.clip_low = 0, .clip_high = 0, .surrogate = Surrogate::weight}},
    Variant{.name = "grpo_zero",
            .source = "GRPO-Zero's policy gradient: no ratio, population deviation",
            .advantage = {.population = true},
            .loss = {.clip_low = 0, .clip_high = 0, .surrogate = Surrogate::weight}},
};

/// The variant of this name. Error: there is none; the message lists them.
inline const Variant& variant(std::string_view name) {
  std::string known;
  for (const auto& v : variants) {
    if (name == v.name) return v;
    known += std::string(known.empty() ? "" : ", ") + v.name;
  }
  GAZE_FAIL("variant", "no GRPO variant named ", name, "; there are ", known);
}

}  // namespace gaze::rl
