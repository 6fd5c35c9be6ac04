// SPDX-License-Identifier: MIT
// The tokeniser of the synthetic suite.
#pragma once
#include <vector>

#include "gaze/text/tokenizer.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Builds a tokeniser from the training problems, their gold responses and captions.
text::Tokenizer build_tokenizer(const std::vector<Problem>& training);

}  // namespace gaze::phyx
