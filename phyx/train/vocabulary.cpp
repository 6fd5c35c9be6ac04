// SPDX-License-Identifier: MIT
// The training texts of the tokeniser.
#include "phyx/train/vocabulary.hpp"

#include <string>

#include "phyx/answer/response.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

namespace {

text::Tokenizer build_with_phrases(const std::vector<std::string>& texts) {
  text::BuildOptions options;
  options.phrases = instruction_phrases();
  return text::Tokenizer::build(texts, options);
}

}  // namespace

text::Tokenizer build_tokenizer(const std::vector<Problem>& training) {
  std::vector<std::string> texts = {" describe letters ."};
  for (const Problem& p : training) {
    texts.push_back(" " + p.question);
    texts.push_back(gold_response(p));
    std::string scene = " " + p.scene.caption;
    for (const auto& slot : p.scene.slots) scene += " " + slot;
    texts.push_back(scene);
  }
  return build_with_phrases(texts);
}

text::Tokenizer build_own_tokenizer(const std::vector<Problem>& training,
                                    const std::string& prompt_template) {
  std::vector<std::string> texts = {prompt_template};
  for (const Problem& p : training) {
    texts.push_back(" " + std::string(bare_prompt(p.question)));
    for (const std::string& option : p.options) texts.push_back(" " + option);
    if (!p.answer.empty()) texts.push_back(gold_response(p));
    texts.push_back(p.response);
  }
  return build_with_phrases(texts);
}

}  // namespace gaze::phyx
