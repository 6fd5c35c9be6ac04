// SPDX-License-Identifier: MIT
// The training texts of the tokeniser.
#include "phyx/train/vocabulary.hpp"

#include <string>

#include "phyx/answer/response.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

text::Tokenizer build_tokenizer(const std::vector<Problem>& training) {
  std::vector<std::string> texts = {" describe letters ."};
  for (const Problem& p : training) {
    texts.push_back(" " + p.question);
    texts.push_back(gold_response(p));
    std::string scene = " " + p.scene.caption;
    for (const auto& slot : p.scene.slots) scene += " " + slot;
    texts.push_back(scene);
  }
  text::BuildOptions options;
  options.phrases = instruction_phrases();
  return text::Tokenizer::build(texts, options);
}

}  // namespace gaze::phyx
