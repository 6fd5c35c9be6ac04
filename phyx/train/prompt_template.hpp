// SPDX-License-Identifier: MIT
// Prompt templates: texts with fields for the picture and the parts of a problem.
#pragma once
#include <string>

namespace gaze::phyx {

/// Prompt templates with the fields {image}, {question} and {options}. Stored in config.json, so
/// that a checkpoint is evaluated with its own prompts. In a `problem` with {options}, {question}
/// is the question alone (bare_prompt) and {options} is "A: .. B: .." (list_options); without,
/// {question} is PhyX's complete prompt.
struct PromptTemplate {
  std::string problem = "<|user|>{image} {question}<|assistant|>";
  std::string caption = "<|user|>{image} describe<|assistant|>";
  std::string letters = "<|user|> letters .{options}<|assistant|>";
};

/// Throws an Error that starts with `source` unless the template has {image} and {question} once
/// each, {options} at most once, no other field and no image token.
void check_prompt_template(const std::string& text, const std::string& source);

}  // namespace gaze::phyx
