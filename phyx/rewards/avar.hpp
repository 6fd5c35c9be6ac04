// SPDX-License-Identifier: MIT
// The AVAR reward: accuracy, a bonus for attention on the image in right answers, and format
// (visual-anchored reward shaping in "From Narrow to Panoramic Vision", arXiv 2603.03825).
//
//   R = accuracy * 1[right] + vision * vis * 1[right] + format * 1[well-formed]
//   vis = min(attention on the image / attention on the prompt's text, cap)
//
// Both masses are means over all generated tokens and the chosen layers and heads. The paper
// compares with the system prompt; this model's prompts have none, so all text of the prompt takes
// its place, including the first token unless exclude_sink. `cap` is this project's own: a quotient
// has no bound.
#pragma once
#include <optional>
#include <vector>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

struct AvarConfig {
  double accuracy = 1, vision = .3, format = .1;  // weights
  double cap = 4;                                 // upper limit of the quotient
  bool exclude_sink = false;                      // text without the prompt's first token
  std::vector<int> layers, heads;                 // empty: all
  StrictRule rule;
};

/// The quotient, at most `cap`; empty without a trace, a picture or the mark "text". Throws Error
/// if the trace does not match its sizes, or a layer or head does not exist.
std::optional<double> visual_quotient(const Completion& completion, const AvarConfig& config = {});

/// Without a picture vis is 0. Empty without a trace: a run that failed to record one must not
/// silently become an accuracy run.
std::optional<double> avar_score(const RewardInput& in, const AvarConfig& config = {});

/// The derivative of avar_score with respect to the trace's masses, in their order; empty where it
/// is 0: a wrong answer, no trace or picture, a quotient at its limit.
std::vector<float> avar_gradient(const RewardInput& in, const AvarConfig& config = {});

/// The kind "avar"; all fields are options.
RewardKind avar_kind();

}  // namespace gaze::phyx
