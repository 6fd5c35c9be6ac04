// SPDX-License-Identifier: MIT
// One HTTP request with bounded time and memory, whatever the server does.
//
// Uses libcurl because it bounds what a server can cause: one deadline covers everything from name
// resolution to the last byte, header lines and chunk sizes have a maximum length, and a call can
// be cancelled at any time. (cpp-httplib reads lines without limit and restarts its time-outs with
// every byte.)
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gaze::phyx {

struct HttpLimits {
  double connect_seconds = 10, seconds = 120;  // to connect; for the whole call
  std::size_t header_bytes = 64 << 10;  // all status lines and headers, including 1xx replies
  std::size_t body_bytes = 1 << 20;
};

struct HttpReply {
  int status = 0;             // 0: no reply, see `failure`
  std::string body, failure;  // untrusted: use printable() for terminals
  std::string retry_after;
};

/// Sends requests one after another, over one connection if the server keeps it. Certificates are
/// verified; redirects and proxies are not used, so data, in particular the key, only go to the
/// host of the address.
class HttpPoster {
 public:
  HttpPoster();
  HttpPoster(const HttpPoster&) = delete;
  HttpPoster& operator=(const HttpPoster&) = delete;
  ~HttpPoster();

  /// Whether `url` can be parsed.
  static bool usable(const std::string& url);

  /// Each header is "Name: value" without control characters. `stop`, if set, is polled about 20
  /// times a second and ends the call when it returns true.
  HttpReply post(const std::string& url, const std::vector<std::string>& headers,
                 const std::string& body, const HttpLimits& limits,
                 const std::function<bool()>& stop);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace gaze::phyx
