// SPDX-License-Identifier: MIT
// What stands between problems and the tokens of a model: prompts, responses, completions. Training
// and evaluation know no tokeniser but this.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/generate/sampling.hpp"
#include "models/vlm.hpp"
#include "phyx/completion.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Rows of RGB bytes, shared by examples with the same picture.
using Pixels = std::shared_ptr<const std::vector<std::uint8_t>>;

/// A problem with its prompts.
struct Example {
  Problem problem;  // without the encoded image
  models::Prompt prompt, caption_prompt;
  Pixels pixels() const { return prompt.rgb; }
};

class ProblemCodec {
 public:
  ProblemCodec() = default;
  ProblemCodec(const ProblemCodec&) = default;
  ProblemCodec& operator=(const ProblemCodec&) = default;
  virtual ~ProblemCodec() = default;

  /// The problem with its prompts. Drops the encoded picture. Throws the Error of
  /// image::decode_image, and that of "question" for a question that is too long.
  virtual Example operator()(Problem problem) = 0;

  /// Token ids of a part of an answer, in which control tokens are ordinary characters.
  virtual std::vector<std::int32_t> encode(const std::string& text) const = 0;

  /// A sampled answer to a prompt: text, tokens, and the attention if it was recorded.
  virtual phyx::Completion completion(const SampledTokens& c,
                                      const models::Prompt& prompt) const = 0;

  /// The tokens that end an answer.
  virtual const EndTokens& ends() const = 0;

  /// The token that stands for a picture's rows in a prompt; -1 if the model reads text only.
  virtual std::int32_t image() const = 0;

  /// Token ids of a response, with the end token.
  std::vector<std::int32_t> response(const std::string& text) const;
};

/// A model's text with U+FFFD for NUL characters, which tables cannot hold.
std::string without_nul(const std::string& text);

/// The attention recorded while a completion was sampled; empty if none was.
AttentionTrace attention_trace(const SampledTokens& c, const models::DecoderConfig& config,
                               const models::Prompt& prompt, std::int32_t image_token);

}  // namespace gaze::phyx
