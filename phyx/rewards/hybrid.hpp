// SPDX-License-Identifier: MIT
// The hybrid reward: accuracy with a small attention term for responses that claim to have read
// something off the picture. Meant to keep the gain of the attention reward on spatial problems
// without loss on symbolic ones.
//
//   R = 1[right] * (1 + w * (s - s0) * 1[claim])      s: the look score, s0: its value at uniform
//
// `claim` depends on the response alone, not on the problem's type, which real data may lack: the
// look section states something that the rest of the response uses, either a number that the
// question does not print and a later step calculates with, or, for a word answer, a word that
// recurs in it or an unprinted value. The bonus is centred: a claim made while looking elsewhere
// costs as much as one made while looking pays, so adding claims to a symbolic problem gains
// nothing.
//
// The bonus is small only as a reward. An advantage that divides by the deviation of its group
// (Spread::group) magnifies it: in a group of right answers the bonus is all that differs, and it
// gets as much weight as right and wrong have in a mixed group. With Spread::batch or Spread::none
// its weight stays in proportion.
//
// Alternatives, each a configuration or a mix: accuracy + w * attention without the claim
// (require_claim = false, which pays symbolic problems for looking); an uncentred bonus
// (centred = false, which pays for making claims); a plain mix of "accuracy" and "attention"; the
// region of interest instead of the image (mark = region, which needs boxes); and w = 0, the
// accuracy reward.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "phyx/answer/response.hpp"
#include "phyx/problem.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

struct HybridConfig {
  double weight = .25;
  bool require_claim = true;
  bool centred = true;
  AttentionRewardConfig attention;  // its gates and `neutral` are ignored
};

/// Whether the response states something about the picture that it then uses.
bool claims_to_see(const Problem& problem, const ParsedResponse& response);

/// Plain accuracy for a problem without a picture or a claim whose window is too short to be
/// measured. Empty without a trace: a run that failed to
/// record one must not silently become an accuracy run.
std::optional<double> hybrid_score(const RewardInput& in, const HybridConfig& config = {});

/// The derivative of hybrid_score with respect to the trace's masses, in their order; empty where
/// it is 0.
std::vector<float> hybrid_gradient(const RewardInput& in, const HybridConfig& config = {});

/// hybrid_score as a reward. Throws Error for a centred one with AttentionBaseline::none: the score
/// of uniform attention is then not a constant.
Reward make_hybrid_reward(HybridConfig config = {}, std::string name = "hybrid");

/// The kind "hybrid": `weight`, `require_claim`, `centred`, `mark` and the options of look_score().
RewardKind hybrid_kind();

}  // namespace gaze::phyx
