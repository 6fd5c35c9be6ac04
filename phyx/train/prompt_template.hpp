// SPDX-License-Identifier: MIT
// Prompt templates: texts with fields for the picture and the parts of a problem.
#pragma once
#include <string>

#include "models/trained_prompt.hpp"

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

using models::check_prompt_template;

}  // namespace gaze::phyx
