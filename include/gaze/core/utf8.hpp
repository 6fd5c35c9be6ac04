// SPDX-License-Identifier: MIT
// Decoding UTF-8 by RFC 3629: no overlong forms, no surrogates, at most U+10FFFF. Any other byte is
// a character of length 1 without a code point, so every input can be decoded to its end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gaze/core/language.hpp"

namespace gaze {

/// One character of a text: its length in bytes, and its code point, or -1 for a stray byte.
struct Utf8Char {
  std::size_t length;
  std::int32_t code;
};

/// The character that starts at byte `at` < text.size().
inline Utf8Char utf8_char(std::string_view text, std::size_t at) {
  constexpr Utf8Char stray{1, -1};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || length > text.size() - at) return stray;
  std::int32_t code = lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return stray;
    code = (code << 6) | (byte(i) & 0x3F);
  }
  constexpr std::int32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < smallest[length] || surrogate || code > 0x10FFFF) return stray;
  return {length, code};
}

/// Whether the whole text is valid UTF-8.
inline bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_char(text, at);
    if (c.code < 0) return false;
    at += c.length;
  }
  return true;
}

}  // namespace gaze
