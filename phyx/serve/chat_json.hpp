// SPDX-License-Identifier: MIT
// Answers as OpenAI's JSON.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/serve/chat_model.hpp"
#include "phyx/serve/choice.hpp"

namespace gaze::phyx::serve {

/// What the whole answer and all of its chunks say.
struct AnswerHead {
  std::string id, model;
  std::int64_t created;  // seconds since 1970

  /// For a new answer, with an id that no other has.
  static AnswerHead make(const std::string& model);
};

struct Usage {
  std::size_t prompt = 0, completion = 0;  // tokens
};

/// {"content": [...]} of the tokens.
io::OrderedJson logprobs_json(const ChatModel& model, const std::vector<GeneratedToken>& tokens);

/// The object chat.completion. Of each choice all text, all tokens and the finish reason;
/// `logprobs`: with the tokens' log-probabilities; `maps`, if not null: with their attention.
std::string completion_json(const AnswerHead& head, const ChatModel& model,
                            const std::vector<Piece>& choices, bool logprobs,
                            const AttentionMaps* maps, const Usage& usage);

/// The objects chat.completion.chunk of a stream.
class ChunkWriter {
 public:
  /// `with_usage`: the stream ends with a chunk of usage, and the others have a null there.
  ChunkWriter(AnswerHead head, const ChatModel& model, bool logprobs, bool with_usage)
      : head_(std::move(head)), model_(&model), logprobs_(logprobs), with_usage_(with_usage) {}

  /// The first of a choice; `maps`, if not null, are those of its tokens.
  std::string role(int index, const AttentionMaps* maps) const;
  /// Text, if it has any, log-probabilities and attention, and the end of the choice, if it is its
  /// last.
  std::vector<std::string> piece(const Piece& piece) const;
  std::string usage(const Usage& usage) const;

 private:
  io::OrderedJson chunk() const;
  io::OrderedJson chunk(int index, io::OrderedJson delta, io::OrderedJson logprobs,
                        io::OrderedJson finish) const;

  AnswerHead head_;
  const ChatModel* model_;
  bool logprobs_, with_usage_;
};

}  // namespace gaze::phyx::serve
