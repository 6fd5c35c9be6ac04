// SPDX-License-Identifier: MIT
// An HTTP server whose clients can neither block nor exhaust it: a thread for each connection, a
// bounded number of them, and bounds on the bytes and the time of each (connection.hpp). A
// connection carries one request. Requests that a web page elsewhere may have caused are refused
// (access.hpp). There are no CORS headers.
//
// cpp-httplib parses requests and writes answers, but not through its own sockets: these read lines
// of any length and restart their time-outs with every byte. Compressed bodies, which it unpacks
// whatever their size, are refused.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "phyx/serve/access.hpp"
#include "phyx/serve/http.hpp"

namespace gaze::phyx::serve {

struct HttpAddress {
  std::string host = "127.0.0.1";
  int port = 0;                         // 0: any free one
  std::vector<std::string> names = {};  // besides `host`, in lower case; see AccessRule
};

class HttpServer {
 public:
  /// The body of an error that has no other.
  using DescribeError = std::function<std::string(int status, const std::string& message)>;

  /// Starts to listen. Throws Error if it cannot.
  HttpServer(const HttpAddress& address, const HttpLimits& limits, std::vector<Route> routes,
             DescribeError describe);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Stops listening, then waits until the connections are closed: at most a second or two, if
  /// handlers return.
  ~HttpServer();

  int port() const;
  std::string url() const;
  /// False after a failure of the listening socket.
  bool listening() const;
  /// Connections that are open now.
  int connections() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace gaze::phyx::serve
