// SPDX-License-Identifier: MIT
// A running server with the model of fake_chat.hpp.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "phyx/serve/server.hpp"
#include "tests/fake_chat.hpp"
#include "tests/http_client.hpp"

namespace gaze::test {

/// Waits up to a minute until a condition holds.
template <class Condition>
bool eventually(const Condition& holds) {
  for (int i = 0; i < 12000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

struct TestOptions {
  Index max_tokens = 200, slots = 1000;
  std::size_t queue = 64, body_bytes = 1 << 20;
  int connections = 64;
  double seconds = 60, receive_seconds = 60, send_seconds = 60;
  std::string host = "127.0.0.1";
  int port = 0;

  phyx::serve::ServerSettings settings() const {
    phyx::serve::ServerSettings s;
    s.address = {host, port, {}};
    s.http = {body_bytes, connections, receive_seconds, send_seconds, seconds + 60};
    s.api.completion = {max_tokens, max_tokens, seconds};
    s.queue = queue;
    return s;
  }
};

struct TestServer {
  FakeControl control;
  FakeModel model;
  std::unique_ptr<phyx::serve::ChatServer> server;

  explicit TestServer(const TestOptions& options = {}, bool sees = false)
      : model(sees),
        server(std::make_unique<phyx::serve::ChatServer>(
            model,
            [this, slots = options.slots] { return std::make_unique<FakeBatch>(control, slots); },
            options.settings())) {}

  int port() const { return server->http().port(); }

  static std::string body(const std::string& text, const std::string& fields = "") {
    return R"({"model": "fake", "messages": [{"role": "user", "content": ")" + text + R"("}])" +
           (fields.empty() ? "" : ", " + fields) + "}";
  }
  static std::string request(const std::string& text, const std::string& fields = "") {
    return http_request("POST", "/v1/chat/completions", body(text, fields));
  }
  HttpResult chat(const std::string& text, const std::string& fields = "") const {
    return http_exchange(port(), request(text, fields));
  }
};

}  // namespace gaze::test
