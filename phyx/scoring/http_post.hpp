// SPDX-License-Identifier: MIT
// One HTTP request whose time and memory are bounded, whatever the server does.
//
// libcurl does it, because it bounds what a server can make a client do: one deadline holds from
// the name's resolution to the last byte, a header line or a chunk's size has a largest length, and
// a call can be ended from outside at any moment. (cpp-httplib reads lines without limit, and its
// time-outs start anew with every byte.) Compiled once, in http_post.cpp.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gaze::phyx {

struct HttpLimits {
  double connect_seconds = 10, seconds = 120;  // to connect; for the whole call
  std::size_t header_bytes = 64 << 10;         // status lines and headers, of 1xx replies, too
  std::size_t body_bytes = 1 << 20;
};

struct HttpReply {
  int status = 0;             // 0: no reply, and `failure` says why
  std::string body, failure;  // both from the server: printable() before a terminal sees them
  std::string retry_after;
};

/// Sends requests one after another, over one connection where the server keeps it. Certificates
/// are verified, redirects are not followed, and no proxy is asked: what is sent, the key above
/// all, goes to the host of the address or nowhere.
class HttpPoster {
 public:
  HttpPoster();
  HttpPoster(const HttpPoster&) = delete;
  HttpPoster& operator=(const HttpPoster&) = delete;
  ~HttpPoster();

  /// Whether `url` can be asked at all.
  static bool usable(const std::string& url);

  /// Each header is "Name: value" without control characters. `stop`, where there is one, is asked
  /// some 20 times a second; when it says so, the call ends.
  HttpReply post(const std::string& url, const std::vector<std::string>& headers,
                 const std::string& body, const HttpLimits& limits,
                 const std::function<bool()>& stop);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace gaze::phyx
