// SPDX-License-Identifier: MIT
// Servers on 127.0.0.1 for tests of clients: one that answers HTTP requests, one that sends
// arbitrary bytes, and a port without a listener.
#pragma once
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/test.hpp"

namespace gaze::test {

/// A socket that is bound to a free port of 127.0.0.1.
inline int bound_socket(int& port) {
  const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(s, any, size) == 0);
  REQUIRE(::getsockname(s, any, &size) == 0);
  port = ntohs(address.sin_port);
  return s;
}

inline int closed_port() {
  int port = 0;
  ::close(bound_socket(port));
  return port;
}

struct HttpRequest {
  std::string head, body;  // the head with its request line, without the empty line

  /// The value of a header, or "".
  std::string header(std::string name) const {
    const auto lower = [](std::string s) {
      for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return s;
    };
    const std::size_t at = lower(head).find("\r\n" + lower(std::move(name)) + ": ");
    if (at == head.npos) return "";
    const std::size_t start = head.find(": ", at) + 2;
    return head.substr(start, head.find("\r\n", start) - start);
  }
};

/// A client's connection. Its functions return false or nothing after the client hangs up or when
/// the server is destroyed.
class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}

  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent_ += static_cast<std::size_t>(n);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  bool wait(double seconds) const {
    pollfd hung_up{socket_, POLLRDHUP, 0};
    return ::poll(&hung_up, 1, static_cast<int>(seconds * 1000)) == 0;
  }
  std::optional<HttpRequest> request() {
    std::size_t end = 0;
    while ((end = read_.find("\r\n\r\n")) == read_.npos)
      if (!receive()) return std::nullopt;
    HttpRequest out{read_.substr(0, end), ""};
    const std::string length = out.header("Content-Length");
    const std::size_t size = length.empty() ? 0 : std::stoul(length);
    while (read_.size() < end + 4 + size)
      if (!receive()) return std::nullopt;
    out.body = read_.substr(end + 4, size);
    read_.erase(0, end + 4 + size);
    return out;
  }
  std::size_t sent() const { return sent_; }

 private:
  bool receive() {
    char part[4096];
    const ssize_t n = ::recv(socket_, part, sizeof part, 0);
    if (n > 0) read_.append(part, static_cast<std::size_t>(n));
    return n > 0;
  }

  int socket_;
  std::string read_;
  std::size_t sent_ = 0;
};

/// Calls `serve` for every connection, each in its own thread.
class LoopbackServer {
 public:
  explicit LoopbackServer(std::function<void(Connection&)> serve)
      : serve_(std::move(serve)), listening_(bound_socket(port_)) {
    REQUIRE(::listen(listening_, 20) == 0);
    thread_ = std::thread([this] { accept_all(); });
  }
  LoopbackServer(const LoopbackServer&) = delete;
  ~LoopbackServer() {
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    ::close(listening_);
    {
      const std::lock_guard lock(mutex_);
      for (const int s : open_) ::shutdown(s, SHUT_RDWR);
    }
    for (auto& t : serving_) t.join();
    for (const int s : open_) ::close(s);
  }

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }
  std::size_t sent() const { return sent_; }  // by connections that have ended

 private:
  void accept_all() {
    for (int s = 0; (s = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(s);
      serving_.emplace_back([this, s] {
        Connection c(s);
        serve_(c);
        sent_ += c.sent();
        ::shutdown(s, SHUT_RDWR);
      });
    }
  }

  std::function<void(Connection&)> serve_;
  int port_ = 0;
  int listening_;
  std::atomic<int> connections_{0};
  std::atomic<std::size_t> sent_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> serving_;
  std::thread thread_;
};

/// A whole response; `headers` are lines that each end in CRLF.
inline std::string http_response(int status, const std::string& body,
                                 const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Type: application/json\r\n" +
         headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// For a LoopbackServer: replies to every request of a connection with answer(request).
inline std::function<void(Connection&)> answering(
    std::function<std::string(const HttpRequest&, Connection&)> answer) {
  return [answer = std::move(answer)](Connection& c) {
    while (const auto request = c.request())
      if (!c.send(answer(*request, c))) return;
  };
}

}  // namespace gaze::test
