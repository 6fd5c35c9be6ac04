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
#include "phyx/train/problem_codec.hpp"
#include "phyx/train/prompt_template.hpp"

namespace gaze::phyx {

/// PhyX's two instructions; each becomes one token, to keep prompts short.
const std::vector<std::string>& instruction_phrases();

/// Problems for one of our own models: templates, words, and pictures of one tile.
class ExampleMaker : public ProblemCodec {
 public:
  ExampleMaker(const text::Tokenizer& tokenizer, const models::VlmConfig& config,
               PromptTemplate prompts = {})
      : tokenizer_(tokenizer),
        config_(config),
        prompts_(std::move(prompts)),
        ends_(tokenizer.end()) {}

  /// The picture is resized to the model's side.
  Example operator()(Problem problem) override;
  std::vector<std::int32_t> encode(const std::string& text) const override {
    return tokenizer_.encode_plain(text);
  }
  phyx::Completion completion(const SampledTokens& c, const models::Prompt& prompt) const override;
  const EndTokens& ends() const override { return ends_; }
  std::int32_t image() const override { return tokenizer_.image(); }

  /// A lower bound of the tokens of a problem's prompt, without its encoding.
  std::size_t least_tokens(const Problem& problem) const;

  /// The prompt of a changed problem with the picture of an example.
  models::Prompt problem_prompt(const Problem& problem, const Example& like) const;

  /// The prompt of a text-only letter exercise. `options` is " A: .. B: ..".
  models::Prompt letters_prompt(const std::string& options) const;

 private:
  std::vector<std::int32_t> fill(const std::string& form, bool image,
                                 const models::PromptFields& fields) const;

  /// The texts that replace the fields of a problem's template.
  models::PromptFields fields_of(const Problem& problem) const;

  /// Decodes a picture; equal pictures (the two forms of one problem) share their pixels.
  Pixels decode(const Problem& problem);

  /// Flags image tokens of which a region covers at least a tenth.
  std::vector<std::uint8_t> region_flags(const std::vector<Region>& regions) const;

  const text::Tokenizer& tokenizer_;
  models::VlmConfig config_;
  PromptTemplate prompts_;
  EndTokens ends_;
  std::map<std::size_t, std::weak_ptr<const std::vector<std::uint8_t>>> pixels_;
};

}  // namespace gaze::phyx
