// SPDX-License-Identifier: MIT
// Problems prepared for a model: tokens, pixels and region flags.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gaze/text/tokenizer.hpp"
#include "models/vlm.hpp"
#include "phyx/problem.hpp"
#include "phyx/train/prompt_template.hpp"

namespace gaze::phyx {

/// PhyX's two instructions; each becomes one token, to keep prompts short.
const std::vector<std::string>& instruction_phrases();

/// Rows of RGB bytes, shared by examples with the same picture.
using Pixels = std::shared_ptr<const std::vector<std::uint8_t>>;

/// A problem with its prompts.
struct Example {
  Problem problem;  // without the encoded image
  models::Prompt prompt, caption_prompt;
  Pixels pixels() const { return prompt.rgb; }
};

/// Turns problems into examples for one model and tokeniser.
class ExampleMaker {
 public:
  ExampleMaker(const text::Tokenizer& tokenizer, const models::VlmConfig& config,
               PromptTemplate prompts = {})
      : tokenizer_(tokenizer), config_(config), prompts_(std::move(prompts)) {}

  /// Decodes the image, resizes it to the model's side and drops the encoded bytes. Throws the
  /// Error of image::decode_image.
  Example operator()(Problem problem);

  /// A lower bound of the tokens of a problem's prompt, without its encoding.
  std::size_t least_tokens(const Problem& problem) const;

  /// The prompt of a changed problem with the picture of an example.
  models::Prompt problem_prompt(const Problem& problem, const Example& like) const;

  /// The prompt of a text-only letter exercise. `options` is " A: .. B: ..".
  models::Prompt letters_prompt(const std::string& options) const;

  /// Token ids of a response, with the end token.
  std::vector<std::int32_t> response(const std::string& text) const;

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  /// Control tokens are recognised in the template, never in the filled-in text.
  std::vector<std::int32_t> fill(const std::string& form, bool image, const Fields& fields) const;

  /// The texts that replace the fields of a problem's template.
  Fields fields_of(const Problem& problem) const;

  /// Decodes a picture; equal pictures (the two forms of one problem) share their pixels.
  Pixels decode(const Problem& problem);

  /// Flags image tokens of which a region covers at least a tenth.
  std::vector<std::uint8_t> region_flags(const std::vector<Region>& regions) const;

  const text::Tokenizer& tokenizer_;
  models::VlmConfig config_;
  PromptTemplate prompts_;
  std::map<std::size_t, std::weak_ptr<const std::vector<std::uint8_t>>> pixels_;
};

}  // namespace gaze::phyx
