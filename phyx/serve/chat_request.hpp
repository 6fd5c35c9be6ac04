// SPDX-License-Identifier: MIT
// The body of POST /v1/chat/completions, parsed. Every field of OpenAI's API is read, or has no
// effect on an answer and is ignored, or is refused by name; so is an unknown one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/index.hpp"

namespace gaze::phyx::serve {

/// Text, or a picture as the bytes of a PNG or JPEG file.
struct ContentPart {
  std::string text;
  std::vector<std::uint8_t> picture = {};
};

struct ChatMessage {
  std::string role;  // system, user, assistant
  std::vector<ContentPart> parts;

  /// All text of the message.
  std::string text() const {
    std::string out;
    for (const ContentPart& p : parts) out += p.text;
    return out;
  }
};

/// What a request may ask for.
struct RequestLimits {
  std::size_t messages = 1000;
  bool pictures = false;  // whether the model sees
};

inline constexpr std::size_t kMaxStops = 4, kMaxStopBytes = 1000;
inline constexpr int kMaxChoices = 8, kMaxTopLogprobs = 20;

struct ChatRequest {
  std::string model;
  std::vector<ChatMessage> messages;
  bool stream = false, include_usage = false;
  std::vector<std::string> stops;
  std::optional<std::uint64_t> seed;
  double temperature = 1, top_p = 1;  // temperature 0: greedy
  std::optional<Index> max_tokens;
  int choices = 1;
  bool logprobs = false;
  int top_logprobs = 0;
  bool attention = false;  // the extension gaze_attention
};

/// Throws ApiError with status 400 and the field.
ChatRequest parse_chat_request(std::string_view body, const RequestLimits& limits);

}  // namespace gaze::phyx::serve
