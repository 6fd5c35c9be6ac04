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
// Alternatives, each a configuration or a mix: accuracy + w * attention without the claim
// (require_claim = false, which pays symbolic problems for looking); an uncentred bonus
// (centred = false, which pays for making claims); a plain RewardMix of "accuracy" and
// "attention"; and w = 0, the accuracy reward.
#pragma once
#include <optional>
#include <string>

#include "phyx/answer/response.hpp"
#include "phyx/problem.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

struct HybridConfig {
  double weight = .25;
  bool require_claim = true;
  bool centred = true;
  AttentionRewardConfig attention;  // its gates are ignored: the formula has its own
};

/// Whether the response states something about the picture that it then uses.
bool claims_to_see(const Problem& problem, const ParsedResponse& response);

/// Plain accuracy for a problem without a picture. Empty without a trace: a run that failed to
/// record one must not silently become an accuracy run.
std::optional<double> hybrid_score(const RewardInput& in, const HybridConfig& config = {});

/// hybrid_score as a reward.
Reward make_hybrid_reward(HybridConfig config = {}, std::string name = "hybrid");

}  // namespace gaze::phyx
