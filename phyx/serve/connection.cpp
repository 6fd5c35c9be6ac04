// SPDX-License-Identifier: MIT
// Polling with deadlines.
#include "phyx/serve/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gaze::phyx::serve {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t head_bytes = 64 << 10;
constexpr double linger_seconds = 2;

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
}

}  // namespace

Connection::Connection(int socket, const HttpLimits& limits, const std::atomic<bool>& stopping)
    : socket_(socket),
      stopping_(stopping),
      may_read_(head_bytes),
      body_bytes_(limits.body_bytes * 2 + head_bytes),  // a chunked body is longer than its content
      receive_by_(after(limits.receive_seconds)),
      answer_by_(after(limits.receive_seconds + limits.answer_seconds + limits.send_seconds)),
      send_seconds_(limits.send_seconds) {
  const int on = 1;  // pieces of a stream are small and wanted at once
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() {
  if (!all_received_) {
    ::shutdown(socket_, SHUT_WR);
    std::array<char, 16384> rest;
    const auto deadline = after(linger_seconds);
    while (wait(POLLIN, deadline, 0) &&
           ::recv(socket_, rest.data(), rest.size(), MSG_DONTWAIT) > 0) {
    }
  }
  ::close(socket_);
}

/// Waits until the socket is ready. Asks `stopping` ten times a second.
bool Connection::wait(short events, Time deadline, double seconds_after_stop) const {
  bool stopped = false;
  for (;;) {
    if (!stopped && stopping_) {
      stopped = true;
      deadline = std::min(deadline, after(seconds_after_stop));
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd ready{socket_, events, 0};
    const int n = ::poll(&ready, 1, static_cast<int>(std::min<long long>(left, 100)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

bool Connection::fill() {
  if (!wait(POLLIN, receive_by_, 0)) {
    timed_out_ = true;
    return false;
  }
  buffer_.resize(16384);
  const ssize_t n = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  at_ = 0;
  return n >= 0;
}

ssize_t Connection::read(char* to, std::size_t size) {
  if (may_read_ == 0) return -1;
  if (at_ == buffer_.size() && !fill()) return -1;
  const std::size_t n = std::min({size, buffer_.size() - at_, may_read_});
  buffer_.copy(to, n, at_);
  at_ += n;
  may_read_ -= n;
  return static_cast<ssize_t>(n);
}

ssize_t Connection::write(const char* from, std::size_t size) {
  const auto deadline = std::min(answer_by_, after(send_seconds_.count()));
  for (;;) {
    const ssize_t n = ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) return n;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return -1;
    if (!wait(POLLOUT, deadline, 1)) return -1;
  }
}

bool Connection::connected() const {
  pollfd state{socket_, POLLRDHUP, 0};
  return ::poll(&state, 1, 0) == 0;
}

}  // namespace gaze::phyx::serve
