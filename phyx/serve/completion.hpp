// SPDX-License-Identifier: MIT
// The choices of one request while they are generated.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "phyx/serve/chat_model.hpp"
#include "phyx/serve/chat_request.hpp"
#include "phyx/serve/choice.hpp"
#include "phyx/serve/scheduler.hpp"

namespace gaze::phyx::serve {

struct CompletionLimits {
  Index max_tokens = 4096;      // most that a request may ask for
  Index default_tokens = 1024;  // for one that does not say
  double seconds = 600;         // from the request to the last token
};

class Completion {
 public:
  /// Encodes the messages and queues the choices. Throws ApiError. `model` must outlive the
  /// scheduler.
  Completion(const ChatModel& model, const ChatRequest& request, const CompletionLimits& limits,
             Scheduler& scheduler);
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;
  /// Ends what is still generated.
  ~Completion();

  /// Waits for the next piece of any choice; none after the last, or once `connected`, which is
  /// asked about 20 times a second, says that the client is gone. Throws ApiError if generation
  /// failed or takes too long (503).
  std::optional<Piece> next(const std::function<bool()>& connected);

  std::size_t prompt_tokens() const { return prompt_tokens_; }
  /// What the pieces' maps are; null if they were not asked for.
  const AttentionMaps* attention() const { return maps_.get(); }

 private:
  struct Channel;

  std::shared_ptr<Channel> channel_;
  std::shared_ptr<const AttentionMaps> maps_;
  std::size_t prompt_tokens_ = 0;
  int unfinished_;  // choices
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace gaze::phyx::serve
