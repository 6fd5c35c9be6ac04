// SPDX-License-Identifier: MIT
// Loading and answering, on any device.
#pragma once
#include <memory>
#include <string>
#include <utility>

#include "gaze/generate/stream.hpp"
#include "gaze/io/weight_files.hpp"
#include "gaze/text/streaming_decoder.hpp"
#include "models/hf/load.hpp"
#include "phyx/eval/published_model.hpp"

namespace gaze::phyx {

template <class Device>
std::vector<std::int32_t> PublishedModel<Device>::prompt(
    std::span<const models::hf::ChatMessage> messages) const {
  const auto* chat = models::hf::find_chat_template(checkpoint.chat);
  std::string known;
  for (const auto& t : models::hf::chat_templates)
    known += (known.empty() ? "" : ", ") + std::string(t.name);
  GAZE_CHECK(chat, "checkpoint", checkpoint.folder,
             checkpoint.chat.empty() ? ": no chat template" : ": its chat template is not known",
             "; known are ", known);
  return models::hf::encode(tokenizer, chat->write(messages));
}

template <class Device>
std::unique_ptr<PublishedModel<Device>> load_published(const std::string& folder,
                                                       const std::string& precision) {
  models::hf::Checkpoint checkpoint = models::hf::open_checkpoint(folder);
  checkpoint.config.bf16 = precision == "bf16";
  auto tokenizer = load_tokenizer(checkpoint);
  const models::LanguageConfig config = checkpoint.config;
  auto out = std::unique_ptr<PublishedModel<Device>>(new PublishedModel<Device>{
      std::move(checkpoint), std::move(tokenizer), models::LanguageModel<float, Device>(config)});
  const io::WeightFiles files(folder);
  models::hf::load_weights(files, out->checkpoint.weights, out->model.parameters());
  return out;
}

template <class Device>
void answer(const PublishedModel<Device>& m, const std::string& question,
            const SamplingSettings& sampling, std::uint64_t seed,
            const std::function<void(const std::string&)>& say) {
  const models::hf::ChatMessage message{"user", question};
  const models::Prompt prompt{m.prompt({&message, 1}), nullptr, {}};
  text::StreamingDecoder decoder(m.tokenizer, text::SpecialTokens::skip);
  stream(m.model, prompt, sampling, std::span(m.checkpoint.ends), Philox(seed, Purpose::sampling),
         0, models::Watch::nothing, [&](std::int32_t token, double) {
           say(decoder.push(token));
           return true;
         });
  say(decoder.finish());
}

}  // namespace gaze::phyx
