// SPDX-License-Identifier: MIT
// Building the objects. Source: OpenAI's API reference, "The chat completion object" and "The chat
// completion chunk object".
#include "phyx/serve/chat_json.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <random>
#include <utility>

#include "gaze/text/utf8_repair.hpp"

namespace gaze::phyx::serve {

namespace {

using io::OrderedJson;

constexpr const char* fingerprint = "gaze-" GAZE_VERSION;

OrderedJson token_json(const ChatModel& model, std::int32_t token, double logp) {
  const std::string bytes = model.bytes(token);
  OrderedJson list = OrderedJson::array();
  for (const char c : bytes) list.push_back(static_cast<unsigned char>(c));
  constexpr double least = -9999;  // OpenAI's value for impossible tokens; JSON has no infinity
  return {{"token", text::repaired_utf8(bytes)},
          {"logprob", std::max(logp, least)},
          {"bytes", std::move(list)}};
}

OrderedJson usage_json(const Usage& u) {
  return {{"prompt_tokens", u.prompt},
          {"completion_tokens", u.completion},
          {"total_tokens", u.prompt + u.completion}};
}

OrderedJson head_json(const AnswerHead& head, const char* object) {
  return {{"id", head.id},
          {"object", object},
          {"created", head.created},
          {"model", head.model},
          {"system_fingerprint", fingerprint}};
}

/// Of a whole answer.
OrderedJson attention_json(const ChatModel& model, const AttentionMaps& maps,
                           const std::vector<TokenMaps>& tokens) {
  OrderedJson out = maps.json(), list = OrderedJson::array();
  for (const TokenMaps& t : tokens) list.push_back(token_maps_json(model, t));
  out["tokens"] = std::move(list);
  return out;
}

}  // namespace

AnswerHead AnswerHead::make(const std::string& model) {
  static const std::uint64_t process = [] {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
  }();
  static std::atomic<std::uint64_t> count{0};
  std::array<char, 64> id{};
  std::snprintf(id.data(), id.size(), "chatcmpl-%016llx%08llx",
                static_cast<unsigned long long>(process), static_cast<unsigned long long>(count++));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {id.data(), model, std::chrono::duration_cast<std::chrono::seconds>(now).count()};
}

OrderedJson logprobs_json(const ChatModel& model, const std::vector<GeneratedToken>& tokens) {
  OrderedJson content = OrderedJson::array();
  for (const GeneratedToken& token : tokens) {
    OrderedJson top = OrderedJson::array();
    for (const Alternative& a : token.top) top.push_back(token_json(model, a.token, a.logp));
    content.push_back(token_json(model, token.id, token.logp));
    content.back()["top_logprobs"] = std::move(top);
  }
  OrderedJson out;
  out["content"] = std::move(content);
  out["refusal"] = nullptr;
  return out;
}

std::string completion_json(const AnswerHead& head, const ChatModel& model,
                            const std::vector<Piece>& choices, bool logprobs,
                            const AttentionMaps* maps, const Usage& usage) {
  OrderedJson out = head_json(head, "chat.completion");
  OrderedJson list = OrderedJson::array();
  for (const Piece& c : choices) {
    OrderedJson choice;
    choice["index"] = c.index;
    choice["message"] = {{"role", "assistant"}, {"content", c.text}, {"refusal", nullptr}};
    choice["logprobs"] = logprobs ? logprobs_json(model, c.tokens) : OrderedJson();
    choice["finish_reason"] = c.finish;
    if (maps) choice["gaze_attention"] = attention_json(model, *maps, c.attention);
    list.push_back(std::move(choice));
  }
  out["choices"] = std::move(list);
  out["usage"] = usage_json(usage);
  return io::dump_json(out, "an answer");
}

OrderedJson ChunkWriter::chunk() const {
  OrderedJson out = head_json(head_, "chat.completion.chunk");
  out["choices"] = OrderedJson::array();
  if (with_usage_) out["usage"] = nullptr;
  return out;
}

OrderedJson ChunkWriter::chunk(int index, OrderedJson delta, OrderedJson logprobs,
                               OrderedJson finish) const {
  OrderedJson out = chunk(), choice;
  choice["index"] = index;
  choice["delta"] = std::move(delta);
  choice["logprobs"] = std::move(logprobs);
  choice["finish_reason"] = std::move(finish);
  out["choices"].push_back(std::move(choice));
  return out;
}

std::string ChunkWriter::role(int index, const AttentionMaps* maps) const {
  OrderedJson out = chunk(index, {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}},
                          nullptr, nullptr);
  if (maps) out["gaze_attention"] = maps->json();
  return io::dump_json(out, "a chunk");
}

std::vector<std::string> ChunkWriter::piece(const Piece& piece) const {
  std::vector<std::string> out;
  const bool tokens = logprobs_ && !piece.tokens.empty();
  if (!piece.text.empty() || tokens || !piece.attention.empty()) {
    OrderedJson text =
        chunk(piece.index, {{"content", piece.text}},
              tokens ? logprobs_json(*model_, piece.tokens) : OrderedJson(), nullptr);
    if (!piece.attention.empty())
      text["choices"][0]["gaze_attention"] = token_maps_json(*model_, piece.attention.front());
    out.push_back(io::dump_json(text, "a chunk"));
  }
  if (!piece.finish.empty())
    out.push_back(
        io::dump_json(chunk(piece.index, OrderedJson::object(), nullptr, piece.finish), "a chunk"));
  return out;
}

std::string ChunkWriter::usage(const Usage& usage) const {
  OrderedJson out = chunk();
  out["usage"] = usage_json(usage);
  return io::dump_json(out, "a chunk");
}

}  // namespace gaze::phyx::serve
