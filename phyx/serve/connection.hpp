// SPDX-License-Identifier: MIT
// A client's connection, with bounded time and bytes whatever the client does.
#pragma once
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

#include "phyx/serve/http.hpp"

namespace gaze::phyx::serve {

class Connection {
 public:
  /// Takes a connected socket. `stopping` ends reading at once and writing within a second.
  Connection(int socket, const HttpLimits& limits, const std::atomic<bool>& stopping);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// Closes the socket. What a client is still sending is read for a moment first: closing with
  /// unread bytes would reset the connection, and the client might lose the answer.
  ~Connection();

  int socket() const { return socket_; }

  /// As recv and send: the number of bytes, 0 at the end, -1 for a failure or when time or bytes
  /// have run out.
  ssize_t read(char* to, std::size_t size);
  ssize_t write(const char* from, std::size_t size);

  /// The request's head has been read; its body may follow.
  void allow_body() { may_read_ = body_bytes_; }
  /// The whole request has been read.
  void received() { all_received_ = true; }

  /// Whether the client still waits for an answer. One that has closed its side for sending is
  /// taken to be gone, because one that has been ended looks the same.
  bool connected() const;
  /// Whether the request did not arrive in time.
  bool timed_out() const { return timed_out_; }
  /// Whether it was longer than allowed.
  bool too_long() const { return may_read_ == 0; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  bool wait(short events, Time deadline, double seconds_after_stop) const;
  bool fill();

  int socket_;
  const std::atomic<bool>& stopping_;
  std::size_t may_read_, body_bytes_;  // bytes that may still be read, and for the body
  Time receive_by_, answer_by_;
  std::chrono::duration<double> send_seconds_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool all_received_ = false, timed_out_ = false;
};

}  // namespace gaze::phyx::serve
