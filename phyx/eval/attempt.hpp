// SPDX-License-Identifier: MIT
// Converts a rollout's completion for rewards and rules, and scores it by every rule.
#pragma once
#include <string>

#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/text/tokenizer.hpp"
#include "models/vlm.hpp"
#include "phyx/completion.hpp"
#include "phyx/problem.hpp"
#include "phyx/results/outcome.hpp"

namespace gaze::phyx {

/// A model's text with U+FFFD for NUL characters, which tables cannot hold.
std::string without_nul(const std::string& text);

/// The completion of a rollout as text, tokens and attention trace.
phyx::Completion to_completion(const gaze::SampledTokens& c, const text::Tokenizer& tokenizer,
                               const models::VlmConfig& config, const models::Prompt& prompt);

/// Mean attention mass on the image over tokens, layers and heads; NaN without a trace.
float image_mass(const AttentionTrace& a);

/// Scores one answer by every rule.
Attempt score_attempt(const Problem& problem, const phyx::Completion& c);

/// An outcome with the problem's labels and no answers yet.
Outcome unanswered_outcome(const Problem& p);

}  // namespace gaze::phyx
