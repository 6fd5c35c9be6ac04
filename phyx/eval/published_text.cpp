// SPDX-License-Identifier: MIT
// Prompts and answers of published checkpoints.
#include "phyx/eval/published_text.hpp"

#include <variant>

#include "gaze/core/error.hpp"
#include "gaze/image/decode.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/text/streaming_decoder.hpp"
#include "models/hf/picture_prompt.hpp"
#include "models/model_metadata.hpp"
#include "phyx/data/prompt.hpp"

namespace gaze::phyx {

namespace detail {

const models::hf::ChatTemplate& known_chat(const models::hf::Checkpoint& c) {
  const auto* chat = models::hf::find_chat_template(c.chat);
  std::string known;
  for (const auto& t : models::hf::chat_templates)
    known += (known.empty() ? "" : ", ") + std::string(t.name);
  GAZE_CHECK(chat, "checkpoint", c.folder,
             c.chat.empty() ? ": no chat template" : ": its chat template is not known",
             "; known are ", known, "; --prompt-template FILE takes its place");
  return *chat;
}

}  // namespace detail

namespace {

/// How a checkpoint that sees prepares its pictures. Throws Error if they must be split but shall
/// not.
std::optional<models::hf::PictureConfig> pictures_of(const models::hf::Checkpoint& c, bool split) {
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

/// The text of a message; pictures are where the prompt template has their token.
std::string text_of(const models::hf::ChatMessage& m) {
  std::string out;
  for (const models::hf::ChatContent& c : m.content) out += c.text;
  return out;
}

}  // namespace

models::Prompt PublishedText::prompt(std::span<const models::hf::ChatMessage> messages,
                                     std::span<const image::Image> seen) const {
  namespace hf = models::hf;
  std::vector<hf::PromptPart> parts;
  if (template_file.empty()) {
    parts = detail::known_chat(checkpoint).write(messages);
  } else {
    GAZE_CHECK(messages.size() == 1 && messages[0].role == "user", "prompt", template_file,
               ": a prompt template is for one question; a conversation needs a chat template");
    parts = hf::fill_template(tokenizer, template_text, text_of(messages[0]), template_file,
                              pictures ? tokenizer.token(checkpoint.image_token) : "");
  }
  if (pictures) return hf::prompt_with_pictures(checkpoint, *pictures, tokenizer, parts, seen);
  return {hf::encode(tokenizer, parts), nullptr, {}};
}

models::Prompt PublishedText::question(const std::string& text, std::span<const image::Image> seen,
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

std::vector<models::TokenGrid> PublishedText::grids(std::span<const image::Image> seen) const {
  GAZE_CHECK(pictures, "checkpoint", checkpoint.folder, ": the model reads text only");
  const int side = static_cast<int>(checkpoint.model.image_side());
  std::vector<models::TokenGrid> out;
  for (const image::Image& p : seen)
    out.push_back(models::token_grid(models::hf::plan_tiles(*pictures, {p.width, p.height}), side));
  return out;
}

std::string PublishedText::bytes(std::int32_t token) const {
  return token >= tokenizer.vocab_size() || tokenizer.is_special(token) ? ""
                                                                        : tokenizer.bytes(token);
}

phyx::Completion PublishedText::completion(const SampledTokens& c,
                                           const models::Prompt& prompt) const {
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
  out.attention = attention_trace(c, checkpoint.model.decoder, prompt, checkpoint.image_token);
  return out;
}

std::map<std::string, std::string> PublishedText::prompt_files() const {
  std::map<std::string, std::string> out{{"config", checkpoint.folder + "/config.json"}};
  const std::string generation = checkpoint.folder + "/generation_config.json";
  if (io::exists(generation)) out["generation_config"] = generation;
  if (pictures) out["pictures"] = models::hf::picture_config_file(checkpoint.folder);
  if (!checkpoint.chat_file.empty()) out["chat_template"] = checkpoint.chat_file;
  if (io::exists(template_file)) out["prompt_template"] = template_file;
  if (adapter && !adapter->folder.empty()) {
    out["adapter"] = models::hf::adapter_weights_file(adapter->folder);
    out["adapter_config"] = models::hf::adapter_config_file(adapter->folder);
  }
  return out;
}

text::BytePairTokenizer load_tokenizer(const models::hf::Checkpoint& checkpoint) {
  auto tokenizer = text::BytePairTokenizer::load(checkpoint.folder + "/tokenizer.json");
  GAZE_CHECK(tokenizer.vocab_size() <= checkpoint.model.vocabulary, "checkpoint", checkpoint.folder,
             "/tokenizer.json: ", tokenizer.vocab_size(), " tokens, but config.json says ",
             checkpoint.model.vocabulary);
  return tokenizer;
}

std::optional<models::hf::Adapter> adapter_of(const PublishedSettings& s,
                                              const models::hf::Checkpoint& checkpoint) {
  GAZE_CHECK(s.adapter.empty() || !s.lora, "adapter", s.adapter, ": either this or new adapters");
  GAZE_CHECK(!s.merge_adapter || !s.adapter.empty(), "adapter",
             "to merge adapters (--merge-adapter) needs a folder (--adapter)");
  if (s.lora) return models::hf::new_adapter(checkpoint.weights, *s.lora);
  if (s.adapter.empty()) return std::nullopt;
  return models::hf::open_adapter(s.adapter, checkpoint.weights);
}

PublishedText read_published(const PublishedSettings& s, const std::string& folder) {
  models::hf::Checkpoint checkpoint = models::hf::open_checkpoint(folder);
  if (!s.logits_scaling) models::hf::leave_out_logits_scaling(checkpoint);
  checkpoint.model.bf16 = !s.precision.empty() && models::is_bf16(s.precision, folder + ", ");
  auto tokenizer = load_tokenizer(checkpoint);
  auto adapter = adapter_of(s, checkpoint);
  std::string file = s.prompt_template, text = s.template_text;
  if (!text.empty()) file = "the prompt template";
  if (!s.prompt_template.empty()) text = io::read_file(s.prompt_template, io::kMaxJsonFileBytes);
  auto pictures = pictures_of(checkpoint, s.split_images);
  if (!file.empty())  // a bad one fails before the weights are read
    models::hf::fill_template(tokenizer, text, "?", file);
  return {std::move(checkpoint), std::move(tokenizer), std::move(pictures),
          std::move(file),       std::move(text),      std::move(adapter)};
}

Example PublishedCodec::operator()(Problem problem) {
  Example e;
  std::vector<image::Image> pictures;
  if (published_.pictures && !problem.image.empty())
    pictures.push_back(image::decode_image(problem.image));
  std::string text = problem.question;
  if (instruction_) {
    text = std::string(bare_prompt(text));
    if (problem.form == Form::mc) text += "\n" + list_options(problem.options);
    text += *instruction_;
  }
  e.prompt = published_.question(text, pictures, answer_);
  problem.image.clear();
  problem.image.shrink_to_fit();
  e.problem = std::move(problem);
  return e;
}

std::vector<std::int32_t> PublishedCodec::encode(const std::string& text) const {
  return models::hf::encode(published_.tokenizer,
                            std::vector<models::hf::PromptPart>{{.text = text}});
}

}  // namespace gaze::phyx
