// SPDX-License-Identifier: MIT
// Keeps web pages from driving a local server. A browser lets any page send requests to 127.0.0.1;
// such a request has the page's address in Origin. A page can also have its own host name resolve
// to 127.0.0.1 (DNS rebinding); such a request has that name in Host.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace gaze::phyx::serve {

/// Whether an address to listen on is reached from this machine only: localhost, 127.x.y.z, ::1.
bool is_loopback(std::string_view host);

struct AccessRule {
  bool loopback = true;            // the server listens on the loopback address only
  std::vector<std::string> names;  // further host names of the server, in lower case

  /// Whether a Host header, "name" or "name:port", names this server: a loopback name; one of
  /// `names`; and, unless it listens on loopback only, any numeric address, which is not resolved
  /// and so cannot be rebound.
  bool allows_host(std::string_view host) const;

  /// Whether an Origin header is of the server's own pages: http or https, and its Host.
  static bool is_own_origin(std::string_view origin, std::string_view host);
};

}  // namespace gaze::phyx::serve
