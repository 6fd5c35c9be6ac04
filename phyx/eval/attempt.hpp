// SPDX-License-Identifier: MIT
// A model's completion in the terms of rewards and rules, and its judgement by every rule.
#pragma once
#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/text/tokenizer.hpp"
#include "models/vlm.hpp"
#include "phyx/completion.hpp"
#include "phyx/problem.hpp"
#include "phyx/results/outcome.hpp"

namespace gaze::phyx {

/// What a rollout's watched columns say, in the rewards' terms.
phyx::Completion to_completion(const gaze::SampledTokens& c, const text::Tokenizer& tokenizer,
                               const models::VlmConfig& config, const models::Prompt& prompt);

/// Mean share of attention on the image, over tokens, layers and heads; NaN without a trace.
float image_mass(const AttentionTrace& a);

/// One answer judged by every rule.
Attempt judge(const Problem& problem, const phyx::Completion& c);

/// The outcome of a problem before it is answered: what is known of the problem.
Outcome unanswered_outcome(const Problem& p);

}  // namespace gaze::phyx
