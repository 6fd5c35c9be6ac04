// SPDX-License-Identifier: MIT
// The tokeniser of a training set.
#pragma once
#include <string>
#include <vector>

#include "gaze/text/tokenizer.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Builds a tokeniser from the training problems, their gold responses and captions.
text::Tokenizer build_tokenizer(const std::vector<Problem>& training);

/// Builds a tokeniser from one's own rows: questions, options, answers and responses, and the words
/// of the prompt template.
text::Tokenizer build_own_tokenizer(const std::vector<Problem>& training,
                                    const std::string& prompt_template);

}  // namespace gaze::phyx
