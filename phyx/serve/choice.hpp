// SPDX-License-Identifier: MIT
// One answer while it is generated: tokens become text in whole characters, cut before a stop
// string.
#pragma once
#include <cstddef>
#include <deque>
#include <exception>
#include <string>
#include <vector>

#include "gaze/generate/continuous_batch.hpp"
#include "phyx/serve/attention_maps.hpp"
#include "phyx/serve/chat_model.hpp"
#include "phyx/serve/stop_strings.hpp"

namespace gaze::phyx::serve {

/// A part of choice `index`.
struct Piece {
  int index = 0;
  std::string text = {};                    // valid UTF-8
  std::vector<GeneratedToken> tokens = {};  // those that begin in this text
  std::string finish = {};                  // "stop" or "length" in the last piece
  std::vector<TokenMaps> attention = {};    // of the tokens that were generated, if asked for
  std::size_t generated = 0;                // in the last piece: all tokens, the end token too
  std::exception_ptr error = nullptr;       // in the last piece
};

class Choice {
 public:
  /// `model` must outlive it.
  Choice(const ChatModel& model, std::vector<std::string> stops, int index)
      : model_(&model), stops_(std::move(stops)), index_(index) {}

  /// The text that this token completes; may be empty.
  Piece add(const GeneratedToken& token);
  /// The last piece. `ended`: by an end token.
  Piece finish(bool ended, std::exception_ptr error);

  bool stopped() const { return stops_.found(); }

 private:
  struct Held {
    GeneratedToken token;
    std::size_t start;  // of its text in the answer, in bytes
  };

  Piece release(std::string text, bool all);

  const ChatModel* model_;
  StopStrings stops_;
  int index_;
  std::string unfinished_;     // the beginning of a character
  std::deque<Held> held_;      // tokens of which no piece has been given out
  std::size_t text_ = 0;       // bytes of the answer so far
  std::size_t released_ = 0;   // of these, bytes given out
  std::size_t generated_ = 0;  // tokens
};

}  // namespace gaze::phyx::serve
