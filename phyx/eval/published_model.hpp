// SPDX-License-Identifier: MIT
// A published checkpoint, loaded: tokeniser, model and prompts.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gaze/core/device.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/text/byte_pair.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/language_model.hpp"

namespace gaze::phyx {

/// `model`, `tokenizer` and how a chat is written for it.
template <class Device>
struct PublishedModel {
  models::hf::Checkpoint checkpoint;
  text::BytePairTokenizer tokenizer;
  models::LanguageModel<float, Device> model;

  /// The tokens of a chat that the assistant continues. Throws Error for a folder whose chat
  /// template is not known.
  std::vector<std::int32_t> prompt(std::span<const models::hf::ChatMessage> messages) const;
};

/// The tokeniser of a folder. Throws Error if it has more tokens than config.json says.
text::BytePairTokenizer load_tokenizer(const models::hf::Checkpoint& checkpoint);

/// Loads a folder. `precision`: float32, or bf16 in products. Throws Error naming file and key.
template <class Device = Cpu>
std::unique_ptr<PublishedModel<Device>> load_published(const std::string& folder,
                                                       const std::string& precision);

/// Answers one question, calling `say` with each piece of text, in whole characters.
template <class Device = Cpu>
void answer(const PublishedModel<Device>& model, const std::string& question,
            const SamplingSettings& sampling, std::uint64_t seed,
            const std::function<void(const std::string&)>& say);

extern template struct PublishedModel<Cpu>;
extern template std::unique_ptr<PublishedModel<Cpu>> load_published<Cpu>(const std::string&,
                                                                         const std::string&);
extern template void answer<Cpu>(const PublishedModel<Cpu>&, const std::string&,
                                 const SamplingSettings&, std::uint64_t,
                                 const std::function<void(const std::string&)>&);

}  // namespace gaze::phyx
