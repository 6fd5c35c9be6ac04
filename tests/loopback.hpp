// SPDX-License-Identifier: MIT
// A port of 127.0.0.1 on which nobody listens.
#pragma once
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/test.hpp"

namespace gaze::test {

inline int closed_port() {
  const int s = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(s, any, size) == 0);
  REQUIRE(::getsockname(s, any, &size) == 0);
  ::close(s);
  return ntohs(address.sin_port);
}

}  // namespace gaze::test
