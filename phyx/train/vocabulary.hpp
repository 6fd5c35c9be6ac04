// SPDX-License-Identifier: MIT
// The tokeniser of the synthetic suite, made from its training part.
#pragma once
#include <vector>

#include "gaze/text/tokenizer.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// A tokeniser whose words are those of the training problems, their responses and captions.
text::Tokenizer build_tokenizer(const std::vector<Problem>& training);

}  // namespace gaze::phyx
