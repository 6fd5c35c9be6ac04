// SPDX-License-Identifier: MIT
// Fuzz targets: the body of a chat request; and all bytes of a connection to the HTTP server.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "phyx/serve/api_error.hpp"
#include "phyx/serve/chat_request.hpp"
#include "phyx/serve/http_server.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_serve {

using namespace gaze::phyx::serve;
using gaze::fuzz::require;

void chat(std::string_view input) {
  const RequestLimits limits{8, true};
  const ChatRequest r = parse_chat_request(input, limits);
  require(!r.messages.empty() && r.messages.size() <= limits.messages, "number of messages");
  require(r.temperature >= 0 && r.temperature <= 2 && r.top_p >= 0 && r.top_p <= 1,
          "sampling outside its range");
  require(r.choices >= 1 && r.choices <= kMaxChoices, "number of choices");
  require(r.stops.size() <= kMaxStops, "number of stop strings");
  for (const std::string& stop : r.stops)
    require(!stop.empty() && stop.size() <= kMaxStopBytes, "length of a stop string");
}

/// Serves POST /v1/chat/completions, which returns the length of the body.
HttpServer& server() {
  static HttpServer one(
      {}, {.body_bytes = 1024},
      {{"POST", "/v1/chat/completions",
        [](const HttpRequest& in, const auto&) {
          require(in.body.size() <= 1024, "a body beyond its limit");
          return HttpAnswer{200, std::to_string(in.body.size())};
        }}},
      [](int status, const std::string& message) { return ApiError(status, message).json(); });
  return one;
}

std::string exchange(std::string_view bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(server().port()));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const linger at_once{1, 0};  // else the machine runs out of ports
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  require(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "cannot connect");
  ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  std::string out;
  char part[4096];
  for (ssize_t n; (n = ::recv(fd, part, sizeof part, 0)) > 0;)
    out.append(part, static_cast<std::size_t>(n));
  ::close(fd);
  return out;
}

void http(std::string_view input) {
  const std::string answer = exchange(input);
  require(answer.empty() || answer.starts_with("HTTP/1."), "not an HTTP answer");
  GAZE_CHECK(answer.find(" 200 ") < 16, "http", "refused");
}

const gaze::fuzz::Target targets[] = {{"chat_request", chat}, {"http", http}};

}  // namespace fuzz_serve
