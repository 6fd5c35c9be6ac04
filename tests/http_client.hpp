// SPDX-License-Identifier: MIT
// A client for tests of servers on 127.0.0.1: well-formed requests, and any bytes.
#pragma once
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "gaze/io/json.hpp"
#include "tests/loopback.hpp"
#include "tests/texts.hpp"

namespace gaze::test {

/// A connection whose functions fail after a minute instead of waiting for ever.
class HttpClient {
 public:
  explicit HttpClient(int port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval minute{60, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof minute);
    if (receive_buffer > 0)
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() { close(); }

  bool connected() const { return connected_; }
  bool send(std::string_view text) const { return Connection(socket_).send(text); }
  void finish_sending() const { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  /// All that has come and comes until `part`, or until the end.
  const std::string& read_until(const std::string& part) {
    char bytes[4096];
    for (ssize_t n = 1; n > 0 && (part.empty() || !contains(read_, part));) {
      n = ::recv(socket_, bytes, sizeof bytes, 0);
      if (n > 0) read_.append(bytes, static_cast<std::size_t>(n));
    }
    return read_;
  }
  const std::string& read_all() { return read_until(""); }

 private:
  int socket_;
  bool connected_ = false;
  std::string read_;
};

struct HttpResult {
  int status = 0;  // 0: no answer
  std::string head, body;

  std::string header(const std::string& name) const { return HttpRequest{head, ""}.header(name); }
  io::Json json() const { return io::parse_json(body, "an answer"); }
  /// The data of server-sent events; none if the body is anything else.
  std::vector<std::string> events() const {
    std::vector<std::string> out;
    std::size_t at = 0;
    for (std::size_t end; (end = body.find("\n\n", at)) != body.npos; at = end + 2) {
      if (body.compare(at, 6, "data: ") != 0) return {};
      out.push_back(body.substr(at + 6, end - at - 6));
    }
    if (at != body.size()) return {};
    return out;
  }
};

/// Joins the chunks of a body; "" if one is broken or the last is missing.
inline std::string joined_chunks(const std::string& body) {
  std::string out;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = std::stoul(body.substr(at), nullptr, 16);
    const std::size_t start = body.find("\r\n", at) + 2;
    if (size == 0) return body.substr(start) == "\r\n" ? out : "";
    out += body.substr(start, size);
    at = start + size + 2;
  }
  return "";
}

inline HttpResult parsed_response(const std::string& text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == text.npos || text.rfind("HTTP/1.1 ", 0) != 0) return {};
  HttpResult out{std::stoi(text.substr(9)), text.substr(0, end), text.substr(end + 4)};
  if (out.header("Transfer-Encoding") == "chunked") out.body = joined_chunks(out.body);
  return out;
}

/// The bytes of a request; `headers` are lines that each end in CRLF.
inline std::string http_request(const std::string& method, const std::string& path,
                                const std::string& body = "", const std::string& headers = "",
                                const std::string& host = "127.0.0.1") {
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + headers +
         (method == "POST" ? "Content-Type: application/json\r\n" + length : "") + "\r\n" + body;
}

/// Sends bytes and reads to the end. Like all of this file without assertions, which Catch2 allows
/// in one thread only.
inline HttpResult http_exchange(int port, const std::string& bytes) {
  HttpClient client(port);
  if (!client.connected()) return {};
  client.send(bytes);
  return parsed_response(client.read_all());
}

inline HttpResult get(int port, const std::string& path) {
  return http_exchange(port, http_request("GET", path));
}
inline HttpResult post(int port, const std::string& path, const std::string& body) {
  return http_exchange(port, http_request("POST", path, body));
}

}  // namespace gaze::test
