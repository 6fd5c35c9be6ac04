// SPDX-License-Identifier: MIT
// A model behind an address: scheduler, API and HTTP together.
#pragma once
#include <cstddef>

#include "phyx/serve/chat_api.hpp"
#include "phyx/serve/http_server.hpp"

namespace gaze::phyx::serve {

struct ServerSettings {
  HttpAddress address = {};
  HttpLimits http = {};
  ApiLimits api = {};
  std::size_t queue = 64;  // most requests that wait for room in the batch
};

/// Serves from construction to destruction, which ends all requests: with status 503, or in a
/// stream with an error.
class ChatServer {
 public:
  /// `model` must outlive the server and all batches.
  ChatServer(const ChatModel& model, Scheduler::MakeBatch make_batch, ServerSettings settings)
      : scheduler_(std::move(make_batch), settings.queue),
        api_(model, scheduler_, settings.api),
        http_(settings.address, settings.http, api_.routes(), &ChatApi::describe_error) {}
  ~ChatServer() { scheduler_.stop(); }  // then handlers return, and http_ can close

  const HttpServer& http() const { return http_; }
  const Scheduler& scheduler() const { return scheduler_; }

 private:
  Scheduler scheduler_;
  ChatApi api_;
  HttpServer http_;
};

}  // namespace gaze::phyx::serve
