// SPDX-License-Identifier: MIT
// The Vision-SR1 reward: accuracy, format, and a point if the policy can answer from its own
// perception without the picture (Li et al. 2025, "Self-rewarding vision-language model via
// reasoning decomposition", arXiv 2508.19652).
//
//   R = accuracy * 1[right] + 1[well-formed] * (format + perception * 1[right without the picture])
//
// The gate on the last term is this project's: without it a cut-off "</answer>", from which the
// second answer starts from the beginning, would earn as much as a right answer. The perception is
// the look section. The second answer continues it greedily after a prompt that lacks the image;
// where the text decides, both sections may be empty.
#pragma once
#include <optional>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

struct VisionSr1Config {
  double accuracy = 1, format = 1, perception = 1;  // weights
  /// No point for a perception that calculates: a look section with an equation is the reasoning
  /// itself. This project's guard.
  bool refuse_equations = true;
  StrictRule rule;
};

/// Whether the continuation of the look section without the picture is right, ungated. Empty where
/// it was not generated.
std::optional<double> perception_score(const RewardInput& in, const VisionSr1Config& config = {});

/// Empty where the second answer was not generated.
std::optional<double> vision_sr1_score(const RewardInput& in, const VisionSr1Config& config = {});

/// The kind "vision_sr1"; all fields are options. Its rewards need RewardNeeds::answer_from_look.
RewardKind vision_sr1_kind();

}  // namespace gaze::phyx
