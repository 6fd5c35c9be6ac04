// SPDX-License-Identifier: MIT
// A judge over HTTP: any server with OpenAI's chat completions API. The server is not trusted: each
// call is bounded in time and memory (http_post.hpp), and its reply is treated as text.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "phyx/scoring/llm_judge.hpp"

namespace gaze::phyx {

struct JudgeServer {
  /// "http://127.0.0.1:8000" (then /v1/chat/completions), "https://api.deepseek.com/v1" (then
  /// /chat/completions), or the whole address of the completions.
  std::string url;
  std::string model;
  std::string key;                                   // sent as a bearer token; empty: none
  double connect_seconds = 10, reply_seconds = 120;  // reply: a whole attempt from
                                                     // connecting to the last byte
  int tries = 4;                                     // attempts per call
  double first_wait = 1, longest_wait = 30;          // seconds between attempts; doubled each time
  int give_up_after = 10;                            // consecutive failed calls
};

/// The URL of a server's completions: "http://host:80" and "/v1/chat/completions".
struct ServerAddress {
  std::string origin, path;
};

/// Throws Error unless the URL is http:// or https:// with a host, in ASCII without spaces.
ServerAddress server_address(const std::string& url);

/// The text of choices[0].message.content in the body of a server's reply; empty if the body has
/// another structure or the text is longer than 64 KiB.
std::optional<std::string> judge_text(const std::string& body);

/// A judge that sends one user message per call, with the given temperature and at most 128 tokens.
/// Retried after a doubling wait (or Retry-After, up to the longest wait): connection errors,
/// time-outs, 408, 429, 5xx, and replies that are malformed or too large (1 MiB, of it 64 KiB
/// text). After the last attempt the reply is judge_failed; `give_up_after` consecutive failed
/// calls are an Error. 401, 403 and 404 are an Error at once, other statuses and redirects
/// judge_failed. A key that cannot be part of a header is an Error before anything is sent. When
/// `stop` returns true, a call in flight or waiting ends with judge_failed. Calls of one judge must
/// not overlap.
Judge http_judge(const JudgeServer& server, std::function<bool()> stop = {});

}  // namespace gaze::phyx
