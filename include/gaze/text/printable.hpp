// SPDX-License-Identifier: MIT
// Text from outside made fit for an error, a terminal or a log: bounded, on one line, and without
// anything that moves a cursor, changes a colour or turns the direction of writing.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gaze/text/unicode.hpp"

namespace gaze::text {

/// What printable() keeps of a text, in bytes, unless a caller says otherwise.
inline constexpr std::size_t kShownBytes = 200;

namespace detail {

/// Characters that a terminal or a reader would obey instead of showing them: controls (C0, C1,
/// DEL), line separators, and the marks that change the direction of writing.
inline bool is_control(std::int32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x61C || code == 0xFEFF ||
         (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

}  // namespace detail

/// `text` with every byte of a control character, and every byte that is not UTF-8, as \xNN. What
/// is longer than `most` bytes ends in "...".
inline std::string printable(std::string_view text, std::size_t most = kShownBytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (out.size() >= most) return out + "...";
    const Utf8Char c = utf8_char(text, at);
    const std::string_view bytes = text.substr(at, c.length);
    at += c.length;
    if (c.code >= 0 && !detail::is_control(c.code)) {
      out += bytes;
      continue;
    }
    for (const char byte : bytes) {
      const auto value = static_cast<unsigned char>(byte);
      ((out += "\\x") += digits[value >> 4]) += digits[value & 15];
    }
  }
  return out;
}

}  // namespace gaze::text
