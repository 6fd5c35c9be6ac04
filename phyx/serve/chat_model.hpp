// SPDX-License-Identifier: MIT
// What the server needs of a model, beside a batch that generates.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gaze/core/index.hpp"
#include "models/packing.hpp"
#include "models/token_grid.hpp"
#include "phyx/serve/chat_request.hpp"

namespace gaze::phyx::serve {

/// A picture of a prompt, and where its image tokens lie on it.
struct PromptPicture {
  image::Size size;  // as sent
  models::TokenGrid grid;
};

/// A prompt with its pictures in their order, and the sizes of the attention that it can observe.
struct ChatPrompt {
  models::Prompt prompt = {};
  std::vector<PromptPicture> pictures = {};
  Index layers = 0, heads = 0;
};

/// Several threads call it at once.
class ChatModel {
 public:
  virtual ~ChatModel() = default;

  /// The name in the API.
  virtual const std::string& name() const = 0;
  /// Whether messages may contain pictures.
  virtual bool sees() const = 0;
  /// Most tokens of a prompt and its answer together.
  virtual Index context() const = 0;
  /// A lower bound of the tokens of encode()'s prompt, in little time and memory: what does not fit
  /// is refused without being encoded.
  virtual Index least_tokens(std::span<const ChatMessage> messages) const = 0;
  /// The prompt that an assistant's answer continues. Throws Error for messages, or a picture, that
  /// the model cannot read.
  virtual ChatPrompt encode(std::span<const ChatMessage> messages) const = 0;
  /// Tokens that end an answer.
  virtual const std::vector<std::int32_t>& ends() const = 0;
  /// The bytes that a token adds to an answer; they need not be whole characters.
  virtual std::string bytes(std::int32_t token) const = 0;
};

}  // namespace gaze::phyx::serve
