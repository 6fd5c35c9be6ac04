// SPDX-License-Identifier: MIT
// Problems made ready for a model: tokens, pixels, and where the region of interest lies.
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

namespace gaze::phyx {

/// How a problem becomes a prompt: {image} and {question} are filled in. Kept as data in
/// config.json, so that a checkpoint says how it wants to be asked.
struct PromptTemplate {
  std::string problem = "<|user|>{image} {question}<|assistant|>";
  std::string caption = "<|user|>{image} describe<|assistant|>";
  std::string letters = "<|user|> letters .{options}<|assistant|>";
};

/// PhyX's two instruction sentences; each is one token, so that a prompt stays short.
const std::vector<std::string>& instruction_phrases();

/// Rows of RGB bytes, shared by the examples that show the same picture.
using Pixels = std::shared_ptr<const std::vector<std::uint8_t>>;

/// A problem with what the model sees of it.
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

  /// Takes the problem over; its encoded image is decoded, resized to the model's side, and
  /// dropped. An image that cannot be decoded is an Error of image::decode_image.
  Example operator()(Problem problem);

  /// The prompt of an example with another question text.
  models::Prompt question_prompt(const std::string& question, const Example& like) const;

  /// A text-only exercise: which letter has which option? `options` is " A: .. B: ..".
  models::Prompt letters_prompt(const std::string& options) const;

  /// Token ids of a response, with the end token.
  std::vector<std::int32_t> response(const std::string& text) const;

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  /// Control tokens of the template are tokens; text that is filled in never is.
  std::vector<std::int32_t> fill(const std::string& form, bool image, const Fields& fields) const;

  /// Equal pictures (the two forms of one problem) share their pixels.
  Pixels decode(const Problem& problem);

  /// Image tokens whose square overlaps a region by a tenth of the square or more.
  std::vector<std::uint8_t> region_flags(const std::vector<Region>& regions) const;

  const text::Tokenizer& tokenizer_;
  models::VlmConfig config_;
  PromptTemplate prompts_;
  std::map<std::size_t, std::weak_ptr<const std::vector<std::uint8_t>>> pixels_;
};

}  // namespace gaze::phyx
