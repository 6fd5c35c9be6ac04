// SPDX-License-Identifier: MIT
// A published checkpoint, loaded: tokeniser, model and prompts.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gaze/core/device.hpp"
#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/image/image.hpp"
#include "gaze/text/byte_pair.hpp"
#include "models/hf/adapter.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/picture_config.hpp"
#include "models/vlm.hpp"
#include "phyx/completion.hpp"

namespace gaze::phyx {

/// How a published checkpoint is used.
struct PublishedSettings {
  std::string precision;        // float32, or bf16 for weights and products; "": float32
  std::string prompt_template;  // a file with {question}, instead of the folder's chat template
  bool split_images = true;     // into tiles, where the family can do without
  std::string adapter = "";     // a folder in PEFT's format; "": none
  bool merge_adapter = false;   // add it to the weights, which is faster to answer with
  /// Instead of `adapter`: new ones to train, with values of this seed.
  std::optional<models::hf::LoraSettings> lora = {};
  std::uint64_t lora_seed = 0;
};

/// The adapters that the settings ask for. Throws Error naming file and key.
std::optional<models::hf::Adapter> adapter_of(const PublishedSettings& s,
                                              const models::hf::Checkpoint& checkpoint);

/// Gives a model that was made with adapter_of() their values; merged, it has none afterwards.
template <class Device>
void fill_adapter(const PublishedSettings& s, const models::hf::Adapter& adapter,
                  models::Vlm<float, Device>& model) {
  if (adapter.folder.empty())
    model.parameters().initialise(lora_part, s.lora_seed);
  else
    models::hf::load_adapter(adapter, model.parameters());
  if (s.merge_adapter) merge_lora(model.parameters());
}

/// Our own models' files say both. Throws Error if a setting is given for one.
void check_own_model(const PublishedSettings& s, const std::string& path);

template <class Device>
struct PublishedModel {
  models::hf::Checkpoint checkpoint;
  text::BytePairTokenizer tokenizer;
  models::Vlm<float, Device> model;
  std::optional<models::hf::PictureConfig> pictures;  // of a model that sees
  std::vector<std::string> weights_files;
  std::string template_file, template_text;  // of PublishedSettings::prompt_template
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

  /// A sampled answer as text.
  phyx::Completion completion(const SampledTokens& c) const;

  /// The bytes that a token adds to an answer; none for control tokens, and for ids that the
  /// configuration has beyond the tokeniser's.
  std::string bytes(std::int32_t token) const;

  /// The files that say what the model computes, how it is asked and where its answers end.
  std::map<std::string, std::string> prompt_files() const;
};

/// The tokeniser of a folder. Throws Error if it has more tokens than config.json says.
text::BytePairTokenizer load_tokenizer(const models::hf::Checkpoint& checkpoint);

/// Loads a folder. Its weights are frozen, but its adapters can be trained: call
/// model.parameters().train_only({lora_part}), and models::hf::write_adapter() to save them. Throws
/// Error naming file and key.
template <class Device = Cpu>
std::unique_ptr<PublishedModel<Device>> load_published(const PublishedSettings& s,
                                                       const std::string& folder);

/// Answers a question about pictures, calling `say` with each piece of text, in whole characters.
template <class Device = Cpu>
void answer(const PublishedModel<Device>& model, const std::string& question,
            std::span<const image::Image> pictures, const SamplingSettings& sampling,
            std::uint64_t seed, const std::function<void(const std::string&)>& say);

extern template struct PublishedModel<Cpu>;
extern template std::unique_ptr<PublishedModel<Cpu>> load_published<Cpu>(const PublishedSettings&,
                                                                         const std::string&);
extern template void answer<Cpu>(const PublishedModel<Cpu>&, const std::string&,
                                 std::span<const image::Image>, const SamplingSettings&,
                                 std::uint64_t, const std::function<void(const std::string&)>&);

}  // namespace gaze::phyx
