// SPDX-License-Identifier: MIT
// Chats with published checkpoints and with our own models, on any device.
#pragma once
#include <algorithm>
#include <filesystem>
#include <limits>
#include <mutex>
#include <utility>

#include "gaze/image/decode.hpp"
#include "phyx/eval/published_model.inl"
#include "phyx/eval/trained_model.inl"
#include "phyx/serve/served_model.hpp"

namespace gaze::phyx::serve {

/// The parts of every served model.
template <class Model>
class ServedBase : public ServedModel {
 public:
  const std::string& name() const override { return name_; }
  Index context() const override { return context_; }
  const std::vector<std::int32_t>& ends() const override { return ends_; }

 protected:
  ServedBase(std::string name, std::unique_ptr<Model> model, Index cache_tokens)
      : name_(std::move(name)), model_(std::move(model)), cache_tokens_(cache_tokens) {}

  static ChatPrompt chat_prompt(models::Prompt prompt, const models::DecoderConfig& decoder) {
    return {std::move(prompt), {}, decoder.layers, decoder.heads};
  }

  std::string name_;
  std::unique_ptr<Model> model_;
  /// One prompt at a time, however many clients there are: a text is copied several times, the
  /// largest picture takes 0.6 GB, and encoding competes with generation for processors.
  mutable std::mutex encoding_;
  Index cache_tokens_;
  Index context_ = std::numeric_limits<std::int32_t>::max();  // no limit of its own
  std::vector<std::int32_t> ends_;
};

/// A conversation in the checkpoint's chat template.
template <class Device>
class PublishedChat : public ServedBase<PublishedModel<Device>> {
 public:
  PublishedChat(std::string name, std::unique_ptr<PublishedModel<Device>> model, Index cache_tokens)
      : PublishedChat::ServedBase(std::move(name), std::move(model), cache_tokens) {
    this->context_ = this->model_->checkpoint.context;
    this->ends_ = this->model_->checkpoint.ends;
    if (this->model_->template_file.empty()) phyx::detail::known_chat(this->model_->checkpoint);
  }

  bool sees() const override { return this->model_->pictures.has_value(); }
  Index least_tokens(std::span<const ChatMessage> messages) const override {
    const std::lock_guard lock(this->encoding_);
    std::size_t out = 0;  // no token spans two messages: control tokens are between them
    for (const ChatMessage& m : messages) out += this->model_->tokenizer.least_ids(m.text());
    return static_cast<Index>(out);
  }
  ChatPrompt encode(std::span<const ChatMessage> messages) const override {
    const std::lock_guard lock(this->encoding_);
    std::vector<models::hf::ChatMessage> chat;
    std::vector<image::Image> pictures;
    for (const ChatMessage& m : messages) {
      auto& content = chat.emplace_back(m.role, std::vector<models::hf::ChatContent>()).content;
      for (const ContentPart& part : m.parts) {
        content.push_back({part.text, !part.picture.empty()});
        if (!part.picture.empty()) pictures.push_back(image::decode_image(part.picture));
      }
    }
    ChatPrompt out = this->chat_prompt(this->model_->prompt(chat, pictures),
                                       this->model_->checkpoint.model.decoder);
    if (pictures.empty()) return out;
    const auto grids = this->model_->grids(pictures);
    for (std::size_t i = 0; i < grids.size(); ++i)
      out.pictures.push_back({{pictures[i].width, pictures[i].height}, grids[i]});
    return out;
  }
  std::string bytes(std::int32_t token) const override { return this->model_->bytes(token); }
  std::unique_ptr<Batch> make_batch() const override {
    return std::make_unique<PolicyBatch<Model<Device>>>(this->model_->model, this->cache_tokens_);
  }
};

/// The last user message is the question, with at most one picture: the models know no chat.
template <class Device>
class TrainedChat : public ServedBase<TrainedModel<Device>> {
 public:
  TrainedChat(std::string name, std::unique_ptr<TrainedModel<Device>> model, Index cache_tokens)
      : TrainedChat::ServedBase(std::move(name), std::move(model), cache_tokens) {
    this->ends_ = {this->model_->tokenizer.end()};
  }

  bool sees() const override { return true; }
  Index least_tokens(std::span<const ChatMessage> messages) const override {
    const std::lock_guard lock(this->encoding_);
    Problem problem;
    problem.question = question(messages).text();
    return static_cast<Index>(this->model_->maker->least_tokens(problem));
  }
  ChatPrompt encode(std::span<const ChatMessage> messages) const override {
    const std::lock_guard lock(this->encoding_);
    const ChatMessage& asked = question(messages);
    Problem problem;
    problem.index = "of the last user message";
    problem.question = asked.text();
    for (const ContentPart& part : asked.parts) {
      if (part.picture.empty()) continue;
      GAZE_CHECK(problem.image.empty(), "serve", "the model reads one picture, not several");
      problem.image = part.picture;
    }
    const std::vector<std::uint8_t> picture = problem.image;
    ExampleMaker maker = *this->model_->maker;  // its cache of pictures is not for several threads
    const auto& config = this->model_->model->config();
    ChatPrompt out = this->chat_prompt(maker(std::move(problem)).prompt, config.decoder);
    if (picture.empty() || !out.prompt.sees()) return out;
    const auto [width, height] = image::image_size(picture);
    out.pictures.push_back(
        {{width, height}, models::token_grid(static_cast<int>(config.image_side()))});
    return out;
  }
  std::string bytes(std::int32_t token) const override {
    return this->model_->tokenizer.decode({&token, 1});
  }
  std::unique_ptr<Batch> make_batch() const override {
    return std::make_unique<PolicyBatch<Model<Device>>>(*this->model_->model, this->cache_tokens_);
  }

 private:
  static const ChatMessage& question(std::span<const ChatMessage> messages) {
    const auto last = std::find_if(messages.rbegin(), messages.rend(),
                                   [](const ChatMessage& m) { return m.role == "user"; });
    GAZE_CHECK(last != messages.rend(), "serve", "no message of a user");
    return *last;
  }
};

/// The last part of a path, or of its folder's, that names something.
inline std::string name_of_path(const std::string& path) {
  std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  return printable(whole.filename().string(), kShownBytes);
}

template <class Device>
std::unique_ptr<ServedModel> load_served(const ServedSettings& s) {
  std::string name = s.name.empty() ? name_of_path(s.path) : s.name;
  if (models::hf::is_published_checkpoint(s.path))
    return std::make_unique<PublishedChat<Device>>(
        std::move(name), load_published<Device>(s.published, s.path), s.cache_tokens);
  check_own_model(s.published, s.path);
  return std::make_unique<TrainedChat<Device>>(std::move(name), load_model<Device>(s.path),
                                               s.cache_tokens);
}

}  // namespace gaze::phyx::serve
