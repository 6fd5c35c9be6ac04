// SPDX-License-Identifier: MIT
// Reading Host and Origin.
#include "phyx/serve/access.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "gaze/text/strings.hpp"

namespace gaze::phyx::serve {

namespace {

bool is_address(int family, const std::string& text) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(family, text.c_str(), bytes) == 1;
}

/// The name of "name:port" or "[address]:port", in lower case; "" for anything else.
std::string host_name(std::string_view host) {
  const std::size_t bracket = host.substr(0, 1) == "[" ? host.find(']') : 0;
  if (bracket == host.npos) return "";
  const std::size_t colon = host.find(':', bracket);
  const std::string_view port = colon == host.npos ? "" : host.substr(colon + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return "";
  const std::string_view name = host.substr(0, colon);
  if (bracket == 0) return text::lower(name);
  return name.size() == bracket + 1 ? text::lower(name.substr(1, bracket - 1)) : "";
}

}  // namespace

bool is_loopback(std::string_view host) {
  const std::string name = text::lower(host);
  return name == "localhost" || name == "::1" ||
         (name.substr(0, 4) == "127." && is_address(AF_INET, name));
}

bool AccessRule::allows_host(std::string_view host) const {
  const std::string name = host_name(host);
  if (name.empty()) return false;
  if (is_loopback(name) || std::find(names.begin(), names.end(), name) != names.end()) return true;
  return !loopback && (is_address(AF_INET, name) || is_address(AF_INET6, name));
}

bool AccessRule::is_own_origin(std::string_view origin, std::string_view host) {
  return text::lower(origin) == "http://" + text::lower(host) ||
         text::lower(origin) == "https://" + text::lower(host);
}

}  // namespace gaze::phyx::serve
