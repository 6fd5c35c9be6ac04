// SPDX-License-Identifier: MIT
// Loading and answering, on any device.
#pragma once
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "gaze/generate/continuous_batch.hpp"
#include "gaze/io/weight_files.hpp"
#include "gaze/text/streaming_decoder.hpp"
#include "models/hf/load.hpp"
#include "models/hf/picture_prompt.hpp"
#include "models/model_metadata.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/eval/published_model.hpp"

namespace gaze::phyx {

namespace detail {

/// The known chat template of a checkpoint.
inline const models::hf::ChatTemplate& known_chat(const models::hf::Checkpoint& c) {
  const auto* chat = models::hf::find_chat_template(c.chat);
  std::string known;
  for (const auto& t : models::hf::chat_templates)
    known += (known.empty() ? "" : ", ") + std::string(t.name);
  GAZE_CHECK(chat, "checkpoint", c.folder,
             c.chat.empty() ? ": no chat template" : ": its chat template is not known",
             "; known are ", known, "; --prompt-template FILE takes its place");
  return *chat;
}

/// How a checkpoint that sees prepares its pictures. Throws Error if they must be split but shall
/// not.
inline std::optional<models::hf::PictureConfig> pictures_of(const models::hf::Checkpoint& c,
                                                            bool split) {
  if (!c.model.sees()) return std::nullopt;
  auto out = models::hf::load_picture_config(c.folder);
  const int side = std::visit([](const auto& t) { return t.side; }, out.tiling);
  GAZE_CHECK(side == c.model.vit.image, "checkpoint", models::hf::picture_config_file(c.folder),
             ": tiles of ", side, " pixels, but config.json says ", c.model.vit.image);
  const auto* anyres = std::get_if<image::AnyresTiling>(&out.tiling);
  GAZE_CHECK(
      anyres ? anyres->resolutions == models::hf::tiling_of(c).resolutions : c.pinpoints.empty(),
      "checkpoint", models::hf::picture_config_file(c.folder),
      ": image_grid_pinpoints differ from those of config.json");
  if (split) return out;
  auto* tiling = std::get_if<image::SplitTiling>(&out.tiling);
  GAZE_CHECK(tiling, "checkpoint", c.folder, ": pictures of this family, ", c.family,
             ", cannot be left unsplit");
  tiling->split = false;
  return out;
}

/// The mean over tokens, layers and heads of the attention on image tokens.
struct MeanAttention {
  Index rows;  // layers x heads
  std::vector<float> sums = {};
  Index tokens = 0;

  void add(std::span<const float> seen) {
    sums.resize(seen.size() / static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < seen.size(); ++i) sums[i % sums.size()] += seen[i];
    ++tokens;
  }
  std::vector<float> finish() && {
    for (float& s : sums) s /= static_cast<float>(rows * tokens);
    return std::move(sums);
  }
};

/// The text of a message; pictures are where the prompt template has their token.
inline std::string text_of(const models::hf::ChatMessage& m) {
  std::string out;
  for (const models::hf::ChatContent& c : m.content) out += c.text;
  return out;
}

}  // namespace detail

template <class Device>
models::Prompt PublishedModel<Device>::prompt(std::span<const models::hf::ChatMessage> messages,
                                              std::span<const image::Image> seen) const {
  namespace hf = models::hf;
  std::vector<hf::PromptPart> parts;
  if (template_file.empty()) {
    parts = detail::known_chat(checkpoint).write(messages);
  } else {
    GAZE_CHECK(messages.size() == 1 && messages[0].role == "user", "prompt", template_file,
               ": a prompt template is for one question; a conversation needs a chat template");
    parts = hf::fill_template(tokenizer, template_text, detail::text_of(messages[0]), template_file,
                              pictures ? tokenizer.token(checkpoint.image_token) : "");
  }
  if (pictures) return hf::prompt_with_pictures(checkpoint, *pictures, tokenizer, parts, seen);
  return {hf::encode(tokenizer, parts), nullptr, {}};
}

template <class Device>
models::Prompt PublishedModel<Device>::question(const std::string& text,
                                                std::span<const image::Image> seen,
                                                Index answer) const {
  models::hf::ChatMessage message{"user", text};
  message.content.insert(message.content.begin(), seen.size(), {"", true});
  models::Prompt out = prompt({&message, 1}, seen);
  const auto length = static_cast<Index>(out.tokens.size());
  GAZE_CHECK(checked_sum("question", length, answer) <= checkpoint.context, "question",
             "a question of ", length, " tokens and an answer of up to ", answer,
             " are longer than the ", checkpoint.context,
             " positions (max_position_embeddings) of ", checkpoint.folder,
             "; shorten one, or --max-tokens");
  return out;
}

template <class Device>
std::vector<models::TokenGrid> PublishedModel<Device>::grids(
    std::span<const image::Image> seen) const {
  GAZE_CHECK(pictures, "checkpoint", checkpoint.folder, ": the model reads text only");
  const int side = static_cast<int>(checkpoint.model.image_side());
  std::vector<models::TokenGrid> out;
  for (const image::Image& p : seen)
    out.push_back(models::token_grid(models::hf::plan_tiles(*pictures, {p.width, p.height}), side));
  return out;
}

template <class Device>
std::string PublishedModel<Device>::bytes(std::int32_t token) const {
  return token >= tokenizer.vocab_size() || tokenizer.is_special(token) ? ""
                                                                        : tokenizer.bytes(token);
}

template <class Device>
phyx::Completion PublishedModel<Device>::completion(const SampledTokens& c) const {
  phyx::Completion out;
  out.ended = c.ended;
  out.length = static_cast<int>(c.tokens.size());
  text::StreamingDecoder whole(tokenizer, text::SpecialTokens::skip);
  std::string all;
  for (const std::int32_t id : c.tokens) {
    const bool known = id < tokenizer.vocab_size();
    out.tokens.push_back(known ? tokenizer.decode({id}, text::SpecialTokens::skip) : "");
    if (known) all += whole.push(id);
  }
  out.text = without_nul(all + whole.finish());
  return out;
}

template <class Device>
std::map<std::string, std::string> PublishedModel<Device>::prompt_files() const {
  std::map<std::string, std::string> out{{"config", checkpoint.folder + "/config.json"}};
  const std::string generation = checkpoint.folder + "/generation_config.json";
  if (io::exists(generation)) out["generation_config"] = generation;
  if (pictures) out["pictures"] = models::hf::picture_config_file(checkpoint.folder);
  if (!checkpoint.chat_file.empty()) out["chat_template"] = checkpoint.chat_file;
  if (!template_file.empty()) out["prompt_template"] = template_file;
  if (adapter && !adapter->folder.empty()) {
    out["adapter"] = models::hf::adapter_weights_file(adapter->folder);
    out["adapter_config"] = models::hf::adapter_config_file(adapter->folder);
  }
  return out;
}

template <class Device>
std::unique_ptr<PublishedModel<Device>> load_published(const PublishedSettings& s,
                                                       const std::string& folder) {
  models::hf::Checkpoint checkpoint = models::hf::open_checkpoint(folder);
  if (!s.logits_scaling) models::hf::leave_out_logits_scaling(checkpoint);
  checkpoint.model.bf16 = !s.precision.empty() && models::is_bf16(s.precision, folder + ", ");
  auto tokenizer = load_tokenizer(checkpoint);
  std::string text;
  if (!s.prompt_template.empty()) text = io::read_file(s.prompt_template, io::kMaxJsonFileBytes);
  const models::VlmConfig config = checkpoint.model;
  const std::int32_t image_token = checkpoint.image_token;
  const io::WeightFiles files(folder);
  auto adapter = adapter_of(s, checkpoint);
  auto pictures = detail::pictures_of(checkpoint, s.split_images);
  if (!s.prompt_template.empty())  // a bad one fails before the weights are read
    models::hf::fill_template(tokenizer, text, "?", s.prompt_template);
  auto out = std::unique_ptr<PublishedModel<Device>>(new PublishedModel<Device>{
      std::move(checkpoint), std::move(tokenizer),
      models::Vlm<float, Device>::for_file(config, image_token, false, false,
                                           adapter ? adapter->plan : LoraPlan()),
      std::move(pictures), files.files(), s.prompt_template, std::move(text), std::move(adapter)});
  models::hf::load_weights(files, out->checkpoint.weights, out->model.parameters());
  if (out->adapter) fill_adapter(s, *out->adapter, out->model);
  return out;
}

template <class Device>
void answer(const PublishedModel<Device>& m, const std::string& question,
            std::span<const image::Image> pictures, const SamplingSettings& sampling,
            std::uint64_t seed, const std::function<void(const std::string&)>& say,
            std::vector<float>* attention) {
  text::StreamingDecoder decoder(m.tokenizer, text::SpecialTokens::skip);
  GenerationRequest<models::Prompt> request;
  request.prompt = m.question(question, pictures, sampling.max_tokens);
  request.sampling = sampling;
  request.random = Philox(seed, Purpose::sampling);
  request.ends = m.checkpoint.ends;
  request.observe = attention != nullptr;
  detail::MeanAttention mean{m.checkpoint.model.decoder.layers * m.checkpoint.model.decoder.heads};
  request.use = [&](const GeneratedToken& token) {
    if (attention) mean.add(token.seen);
    if (token.id < m.tokenizer.vocab_size()) say(decoder.push(token.id));
    return true;
  };
  std::exception_ptr failed;
  request.done = [&](bool, std::exception_ptr error) { failed = std::move(error); };
  ContinuousBatch batch(m.model,
                        static_cast<Index>(request.prompt.tokens.size()) + sampling.max_tokens);
  batch.add(std::move(request));
  while (batch.running() > 0) batch.step();
  if (failed) std::rethrow_exception(failed);
  say(decoder.finish());
  if (attention) *attention = std::move(mean).finish();
}

}  // namespace gaze::phyx
