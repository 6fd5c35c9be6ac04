// SPDX-License-Identifier: MIT
// Makes valid UTF-8 of any bytes: each maximal part of a character that is not completed becomes
// one U+FFFD, as the Unicode standard recommends (version 16, section 3.9, "U+FFFD Substitution of
// Maximal Subparts") and Rust's String::from_utf8_lossy does.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "gaze/core/utf8.hpp"

namespace gaze::text {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

namespace detail {

/// Number of bytes at `at` that are the beginning of a valid character, but less than all of it; 0
/// if the first byte cannot begin one of several bytes.
inline std::size_t unfinished_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t whole = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const std::size_t most = std::min(whole - 1, text.size() - at);
  // The second byte's range: no overlong forms, no surrogates, at most U+10FFFF (RFC 3629).
  const int low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const int high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (most < 2 || byte(1) < low || byte(1) > high) return 1;
  return most == 3 && (byte(2) & 0xC0) == 0x80 ? 3 : 2;
}

}  // namespace detail

/// Appends `bytes` to `out` as valid UTF-8, except the beginning of a character at their end, which
/// more bytes could complete; returns the number of bytes left there, at most 3.
inline std::size_t append_repaired(std::string_view bytes, std::string& out) {
  for (std::size_t at = 0; at < bytes.size();) {
    const Utf8Char c = utf8_char(bytes, at);
    if (c.code >= 0) {
      out.append(bytes, at, c.length);
      at += c.length;
      continue;
    }
    const std::size_t begun = detail::unfinished_length(bytes, at);
    if (begun > 0 && at + begun == bytes.size()) return begun;
    out += kReplacement;
    at += std::max<std::size_t>(begun, 1);
  }
  return 0;
}

/// `bytes` as valid UTF-8.
inline std::string repaired_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  if (append_repaired(bytes, out) > 0) out += kReplacement;
  return out;
}

}  // namespace gaze::text
