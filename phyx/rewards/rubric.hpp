// SPDX-License-Identifier: MIT
// The rubric reward: five weighted terms against the reference solution. The study names answer,
// principle and unit; the other two terms and all weights are this project's choice.
//
// Of PhyX's problems, which have no reference solution, the principle is one of their subfield's
// (phyx/answer/subfields.hpp), and a step is any true calculation. A term that does not apply (a
// unit for a word, numbers without a solution) is omitted and the other weights are scaled up, so
// that the range stays 0 to 1.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/problem.hpp"
#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

struct RubricConfig {
  double answer = .40, principle = .20, unit = .15, numbers = .15, steps = .10;
  std::vector<std::string> principles;  // all known ones: naming a second one fails
  StrictRule rule;
};

/// Each term in [0, 1]; empty if it does not apply.
struct RubricTerms {
  std::optional<double> answer, principle, unit, numbers, steps;
};

/// In bytes. Longer think texts name no principle and make no claim: searching a phrase takes up to
/// the product of both lengths.
inline constexpr std::size_t longest_think = 16384;

/// The question without its printed options, from which no numbers may be taken.
std::string bare_question(const Problem& p);

/// The five terms; all 0 for a response that is not well-formed.
RubricTerms rubric_terms(const RewardInput& in, const RubricConfig& config = {});

/// The weighted mean over the terms that apply.
double rubric_total(const RubricTerms& t, const RubricConfig& c = {});

/// rubric_total of rubric_terms as a reward.
Reward make_rubric_reward(RubricConfig config = {}, std::string name = "rubric");

/// The kind "rubric": the weights, `principles` and `tolerance` are options.
RewardKind rubric_kind();

}  // namespace gaze::phyx
