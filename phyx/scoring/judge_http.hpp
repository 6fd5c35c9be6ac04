// SPDX-License-Identifier: MIT
// A judge behind HTTP: any server that speaks OpenAI's chat completions. Compiled once, in
// judge_http.cpp. The server is not trusted: one call is bounded in time and memory
// (http_post.hpp), and its reply is text.
#pragma once
#include <functional>
#include <string>

#include "phyx/scoring/llm_judge.hpp"

namespace gaze::phyx {

struct JudgeServer {
  /// "http://127.0.0.1:8000" (then /v1/chat/completions), "https://api.deepseek.com/v1" (then
  /// /chat/completions), or the whole address of the completions.
  std::string url;
  std::string model;
  std::string key;                                   // sent as a bearer token; empty: none
  double connect_seconds = 10, reply_seconds = 120;  // the second for a whole try: connection,
                                                     // request and reply
  int tries = 4;                                     // of one call, before it counts as failed
  double first_wait = 1, longest_wait = 30;          // seconds between tries; doubled each time
  int give_up_after = 10;                            // failed calls in a row
};

/// Where a server's completions are: "http://host:80" and "/v1/chat/completions".
struct ServerAddress {
  std::string origin, path;
};

/// Throws Error for what is not http:// or https:// with a host, in ASCII without spaces.
ServerAddress server_address(const std::string& url);

/// A judge that asks the server: one user message, at most 128 tokens, the temperature it is
/// given. Connection errors, time-outs, 408, 429, 5xx and replies that cannot be read or are too
/// large (1 MiB, 64 KiB of them text) are tried again, after a wait that doubles (or what
/// Retry-After says, within the longest wait); then the reply is judge_failed, and an Error once
/// `give_up_after` calls in a row have failed. 401, 403 and 404 are an Error at once, other
/// refusals and redirects judge_failed. A key that could not be part of a header is an Error before
/// anything is sent. Where `stop` says so, a call in flight or waiting ends and the reply is
/// judge_failed. Calls of one judge must not overlap.
Judge http_judge(const JudgeServer& server, std::function<bool()> stop = {});

}  // namespace gaze::phyx
