// SPDX-License-Identifier: MIT
// All settings of a GRPO run: sizes, sampling, and the axes of advantage and loss.
#pragma once
#include <cstdint>

#include "gaze/core/error.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/rl/adaptive_entropy.hpp"
#include "gaze/rl/advantage.hpp"
#include "gaze/rl/loss_settings.hpp"
#include "gaze/rl/reference.hpp"
#include "gaze/rl/variants.hpp"

namespace gaze::rl {

/// Everything that grpo_step() needs to know besides the task.
struct GrpoSettings {
  /// The most rounds that replace groups. Tasks may number prompts by (step, round) with this
  /// bound.
  static constexpr Index most_resample = 63;

  Index prompts = 12, group = 8;
  SamplingSettings sampling;
  AdvantageSettings advantage;
  LossSettings loss;
  Index updates = 1;                 // passes over one rollout
  Index groups_per_micro = 1 << 20;  // groups per forward and backward; smaller needs less memory
  Index resample = 0;                // rounds that replace groups without spread; at most 63
  std::uint64_t seed = 0;
  Index minibatches = 1;    // optimiser steps per pass over a rollout
  double kl_in_reward = 0;  // weight of the KL from the reference, subtracted from the reward
  KlEstimator reward_estimator = KlEstimator::k1;
  Index kl_every = 10;       // steps between measurements of the KL from the start; 0: never
  Index steps = 0;           // of the run; if known, the KL is also measured at the last one
  Index overlong_cache = 0;  // soft overlong penalty: width of the ramp below max_tokens; 0: none
  ReferenceSync reference_sync;
  bool adaptive_entropy = false;  // adapt the entropy bonus instead of keeping it fixed
  AdaptiveEntropy adaptive;       // initial state; RunState holds the current one

  /// Sets the axes that a named variant decides; the loss settings of the run keep their values.
  void apply(const Variant& v) {
    advantage = v.advantage;
    static_cast<LossAxes&>(loss) = v.loss;
    if (v.resample_zero_std && resample == 0) resample = 3;
  }
  /// Whether a KL term is used.
  bool needs_reference() const { return loss.kl != 0 || kl_in_reward != 0; }
  /// Whether the KL from the start is measured at a step (from 0).
  bool measures_kl(Index step) const {
    return kl_every > 0 && ((step + 1) % kl_every == 0 || step + 1 == steps);
  }
  /// Throws an Error that names a setting out of range.
  void check() const {
    sampling.check();
    advantage.check();
    loss.check();
    detail::check_setting("grpo", "kl_in_reward", kl_in_reward);
    GAZE_CHECK(prompts > 0, "grpo", "prompts must be above 0, got ", prompts);
    GAZE_CHECK(group >= 2, "grpo", "the group must be at least 2, got ", group);
    GAZE_CHECK(updates > 0 && groups_per_micro > 0, "grpo",
               "updates and groups_per_micro must be above 0, got ", updates, " and ",
               groups_per_micro);
    GAZE_CHECK(resample >= 0 && resample <= most_resample, "grpo", "resample must be in [0, ",
               most_resample, "], got ", resample);
    GAZE_CHECK(minibatches > 0 && minibatches <= prompts, "grpo",
               "minibatches must be in [1, prompts = ", prompts, "], got ", minibatches);
    GAZE_CHECK(overlong_cache >= 0 && overlong_cache <= sampling.max_tokens, "grpo",
               "overlong_cache ", overlong_cache, " must be in [0, ", sampling.max_tokens, "]");
    GAZE_CHECK(kl_every >= 0, "grpo", "kl_every must be at least 0, got ", kl_every);
    reference_sync.check();
    adaptive.check();
    GAZE_CHECK(reference_sync.every == 0 || needs_reference(), "grpo",
               "reference_sync.every is set, but no KL term uses a reference");
    GAZE_CHECK(!adaptive_entropy || loss.entropy_bonus == 0, "grpo",
               "the entropy bonus is either fixed or adaptive, not both");
    GAZE_CHECK(!sampling.greedy, "grpo", "greedy completions of a group are all the same");
  }
};

}  // namespace gaze::rl
