// SPDX-License-Identifier: MIT
// Base64 (RFC 4648, the standard alphabet with padding), the encoding of pictures in PhyX's tables.
//
// Decoding is strict: no white space, no missing padding, no stray bits after the last byte, so
// that damage in a table is located. Errors name the offending character.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze::io {

namespace detail {

inline constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value (0 to 63) of each character, or -1.
inline constexpr std::array<std::int8_t, 256> base64_values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < 64; ++i)
    values[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}();

}  // namespace detail

/// Encodes `bytes`: four characters per three bytes, rounded up.
inline std::string base64_encode(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16;
    if (count > 1) group |= static_cast<std::uint32_t>(bytes[i + 1]) << 8;
    if (count > 2) group |= bytes[i + 2];
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? detail::base64_alphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

/// Decodes `text`. Throws Error "not base64 at character N" (N from 0) for anything that
/// base64_encode never writes.
inline std::vector<std::uint8_t> base64_decode(std::string_view text) {
  std::size_t length = text.size();
  while (length > 0 && text.size() - length < 2 && text[length - 1] == '=') --length;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const std::int8_t value = detail::base64_values[static_cast<unsigned char>(text[i])];
    GAZE_CHECK(value >= 0, "base64_decode", "not base64 at character ", i);
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 == 3)
      for (int shift = 16; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(group >> shift));
  }
  GAZE_CHECK(text.size() % 4 == 0 && length % 4 != 1, "base64_decode", "not base64 at character ",
             text.size(), " (the text ends too early)");
  // Two or three characters are left over: 12 or 18 bits, of which the last 4 or 2 must be zero.
  const std::size_t rest = length % 4;
  if (rest == 0) return bytes;
  const unsigned spare = rest == 2 ? 4 : 2;
  GAZE_CHECK((group & ((1u << spare) - 1)) == 0, "base64_decode", "not base64 at character ",
             length - 1, " (stray bits)");
  group = (group & ((1u << 6 * rest) - 1)) >> spare;
  if (rest == 3) bytes.push_back(static_cast<std::uint8_t>(group >> 8));
  bytes.push_back(static_cast<std::uint8_t>(group));
  return bytes;
}

}  // namespace gaze::io
