// SPDX-License-Identifier: MIT
// Scores a completion by every rule.
#pragma once
#include "phyx/completion.hpp"
#include "phyx/problem.hpp"
#include "phyx/results/outcome.hpp"

namespace gaze::phyx {

/// Mean attention mass on the image over tokens, layers and heads; NaN without a trace.
float image_mass(const AttentionTrace& a);

/// Scores one answer by every rule.
Attempt score_attempt(const Problem& problem, const phyx::Completion& c);

/// An outcome with the problem's labels and no answers yet.
Outcome unanswered_outcome(const Problem& p);

}  // namespace gaze::phyx
