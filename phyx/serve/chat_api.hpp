// SPDX-License-Identifier: MIT
// The endpoints of OpenAI's API: POST /v1/chat/completions, GET /v1/models and /v1/models/ID;
// GET /health, and GET /, a page for a browser.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "phyx/serve/completion.hpp"
#include "phyx/serve/http.hpp"

namespace gaze::phyx::serve {

struct ApiLimits {
  std::size_t messages = 1000;  // of a conversation
  CompletionLimits completion = {};
};

/// The model and the scheduler must outlive it, and it the server that has its routes.
class ChatApi {
 public:
  ChatApi(const ChatModel& model, Scheduler& scheduler, const ApiLimits& limits);

  std::vector<Route> routes();
  /// The body of an error without another: OpenAI's error object.
  static std::string describe_error(int status, const std::string& message);

 private:
  HttpAnswer complete(const HttpRequest& in, const std::function<bool()>& connected) const;
  HttpAnswer models() const;
  HttpAnswer model(const std::string& id) const;
  HttpAnswer health() const;

  const ChatModel& model_;
  Scheduler& scheduler_;
  ApiLimits limits_;
  std::int64_t created_;  // when the server started
};

}  // namespace gaze::phyx::serve
