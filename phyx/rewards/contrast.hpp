// SPDX-License-Identifier: MIT
// The contrast reward: a right answer is worth more if the policy is wrong with another picture in
// its place. This project's own; meant to pay for the use of the picture, not for attention on it.
//
//   R = 1[right] * (1 + weight * (1 - 1[right with a swapped picture]))
//
// The other picture is that of a problem of the same template with another answer and, where they
// are known, other facts to see. The second answer is sampled with the completion's own random
// numbers (a counterfactual twin): a policy whose probabilities do not depend on the picture
// repeats its text and earns no bonus. Probabilities that move a little, for whatever reason, may
// already give other words, so the bonus measures dependence on the picture only on average. A
// greedy second answer costs less, but it is the same for the whole group, so the bonus is a
// constant factor that an advantage divided by the group's deviation cancels.
#pragma once
#include <optional>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// The second answer: sampled with the completion's random numbers, or greedy.
enum class SecondAnswer { twin, greedy };

struct ContrastConfig {
  double weight = .5;
  SecondAnswer second = SecondAnswer::twin;
  StrictRule rule;
};

/// Plain accuracy for a problem that does not need its picture or has no partner with another
/// answer. Empty where second answers were not generated.
std::optional<double> contrast_score(const RewardInput& in, const ContrastConfig& config = {});

/// The kind "contrast"; all fields are options. Its rewards need RewardNeeds::twin_swapped or
/// answer_swapped.
RewardKind contrast_kind();

}  // namespace gaze::phyx
