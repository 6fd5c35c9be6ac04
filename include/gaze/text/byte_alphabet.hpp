// SPDX-License-Identifier: MIT
// The byte alphabet of GPT-2: a printable character for each byte, by which files of byte-level
// tokenisers write their tokens. The bytes 0x21 to 0x7E, 0xA1 to 0xAC and 0xAE to 0xFF are the
// characters of the same number; the other 68, in ascending order, are U+0100 to U+0143. A space is
// "Ġ" (U+0120) and a line feed "Ċ" (U+010A).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gaze/core/utf8.hpp"

namespace gaze::text {

namespace detail {

constexpr bool is_own_character(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
}

inline constexpr auto kByteCharacters = [] {
  std::array<std::int32_t, 256> codes{};
  std::int32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte)
    codes[static_cast<std::size_t>(byte)] = is_own_character(byte) ? byte : next++;
  return codes;
}();

/// By code point: its byte, or -1.
inline constexpr auto kCharacterBytes = [] {
  std::array<std::int16_t, 0x144> bytes{};
  bytes.fill(-1);
  for (std::size_t byte = 0; byte < 256; ++byte)
    bytes[static_cast<std::size_t>(kByteCharacters[byte])] = static_cast<std::int16_t>(byte);
  return bytes;
}();

}  // namespace detail

/// The character of a byte, as UTF-8 of one or two bytes.
inline std::string byte_character(unsigned char byte) {
  const std::int32_t code = detail::kByteCharacters[byte];
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

/// The bytes that a token stands for; nothing if it has a character outside the alphabet.
inline std::optional<std::string> bytes_of_token(std::string_view token) {
  std::string bytes;
  for (std::size_t at = 0; at < token.size();) {
    const Utf8Char c = utf8_char(token, at);
    if (c.code < 0 || c.code >= static_cast<std::int32_t>(detail::kCharacterBytes.size()))
      return std::nullopt;
    const std::int16_t byte = detail::kCharacterBytes[static_cast<std::size_t>(c.code)];
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
    at += c.length;
  }
  return bytes;
}

}  // namespace gaze::text
