// SPDX-License-Identifier: MIT
// HTTP for the rooms above it: requests, answers and routes, without a library's types.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gaze::phyx::serve {

struct HttpRequest {
  std::string method, path, body;  // the path decoded and without its query
};

/// Sends a piece of a body; false once the client is gone.
using Send = std::function<bool(std::string_view)>;

struct HttpAnswer {
  int status = 200;
  std::string body = {};
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::function<void(const Send&)> stream = {};  // if set, sends the body
};

/// `connected` says whether the client still waits.
using Handler =
    std::function<HttpAnswer(const HttpRequest&, const std::function<bool()>& connected)>;

/// A path that ends in * matches all that begin with the rest.
struct Route {
  std::string method, path;
  Handler handler;
};

struct HttpLimits {
  std::size_t body_bytes = std::size_t{16} << 20;
  int connections = 64;         // open at once; more are answered with 503
  double receive_seconds = 30;  // for a whole request to arrive
  double send_seconds = 30;     // for a client to take some bytes of an answer
  double answer_seconds = 660;  // from the request to the end of its answer
};

}  // namespace gaze::phyx::serve
