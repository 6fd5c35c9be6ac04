// SPDX-License-Identifier: MIT
// A published checkpoint without its weights: tokeniser, prompts, answers as text.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/image/image.hpp"
#include "gaze/text/byte_pair.hpp"
#include "models/hf/adapter.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/picture_config.hpp"
#include "models/token_grid.hpp"
#include "phyx/completion.hpp"
#include "phyx/train/problem_codec.hpp"

namespace gaze::phyx {

/// How a published checkpoint is used.
struct PublishedSettings {
  std::string precision;        // float32, or bf16 for weights and products; "": float32
  std::string prompt_template;  // a file with {question}, instead of the folder's chat template
  bool split_images = true;     // into tiles, where the family can do without
  bool logits_scaling = true;   // divide Granite's logits, see leave_out_logits_scaling()
  std::string adapter = {};     // a folder in PEFT's format; "": none
  bool merge_adapter = false;   // add it to the weights, which is faster to answer with
  /// Instead of `adapter`: new ones to train, with values of this seed.
  std::optional<models::hf::LoraSettings> lora = {};
  std::uint64_t lora_seed = 0;
  std::string template_text = {};  // the text of a prompt template, instead of a file
};

/// The adapters that the settings ask for. Throws Error naming file and key.
std::optional<models::hf::Adapter> adapter_of(const PublishedSettings& s,
                                              const models::hf::Checkpoint& checkpoint);

struct PublishedText {
  models::hf::Checkpoint checkpoint;
  text::BytePairTokenizer tokenizer;
  std::optional<models::hf::PictureConfig> pictures;  // of a model that sees
  std::string template_file, template_text;           // of PublishedSettings::prompt_template
  std::optional<models::hf::Adapter> adapter;

  /// The prompt of a chat that the assistant continues, with the pictures of its places. Throws
  /// Error for a folder whose chat template is not known, and for a prompt template if there is
  /// more than one question.
  models::Prompt prompt(std::span<const models::hf::ChatMessage> messages,
                        std::span<const image::Image> pictures = {}) const;

  /// The prompt of a question, after its pictures, that is answered in up to `answer` tokens.
  /// Throws Error as prompt(), and if both together are longer than the checkpoint's context.
  models::Prompt question(const std::string& text, std::span<const image::Image> pictures,
                          Index answer) const;

  /// Where the image tokens of each picture of a prompt lie on it, the pictures in the prompt's
  /// order. Throws Error for a model that reads text only.
  std::vector<models::TokenGrid> grids(std::span<const image::Image> pictures) const;

  /// A sampled answer to a prompt as text, with the attention if it was recorded.
  phyx::Completion completion(const SampledTokens& c, const models::Prompt& prompt) const;

  /// The bytes that a token adds to an answer; none for control tokens, and for ids that the
  /// configuration has beyond the tokeniser's.
  std::string bytes(std::int32_t token) const;

  /// The files that say what the model computes, how it is asked and where its answers end.
  std::map<std::string, std::string> prompt_files() const;
};

namespace detail {

/// The known chat template of a checkpoint. Throws Error for another one.
const models::hf::ChatTemplate& known_chat(const models::hf::Checkpoint& c);

}  // namespace detail

/// The tokeniser of a folder. Throws Error if it has more tokens than config.json says.
text::BytePairTokenizer load_tokenizer(const models::hf::Checkpoint& checkpoint);

/// Reads everything of a folder but its weights. Throws Error naming file and key.
PublishedText read_published(const PublishedSettings& s, const std::string& folder);

/// Asks for a problem's complete prompt, after its picture if the model sees.
class PublishedCodec : public ProblemCodec {
 public:
  /// `published` must outlive it. `answer`: the tokens that an answer may have. With an
  /// `instruction`, it follows the bare question and its options; else PhyX's complete prompt is
  /// asked.
  PublishedCodec(const PublishedText& published, Index answer,
                 std::optional<std::string> instruction = {})
      : published_(published),
        instruction_(std::move(instruction)),
        answer_(answer),
        ends_(published.checkpoint.ends) {}

  Example operator()(Problem problem) override;
  std::vector<std::int32_t> encode(const std::string& text) const override;
  phyx::Completion completion(const SampledTokens& c, const models::Prompt& prompt) const override {
    return published_.completion(c, prompt);
  }
  const EndTokens& ends() const override { return ends_; }
  std::int32_t image() const override { return published_.checkpoint.image_token; }

 private:
  const PublishedText& published_;
  std::optional<std::string> instruction_;
  Index answer_;
  EndTokens ends_;
};

}  // namespace gaze::phyx
