// SPDX-License-Identifier: MIT
// CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4), and TensorFlow's masked form of it.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "gaze/core/language.hpp"

namespace gaze::io {

namespace detail {

/// The remainder of each byte, for the reflected polynomial 0x82F63B78.
inline constexpr std::array<std::uint32_t, 256> crc32c_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0);
    table[byte] = crc;
  }
  return table;
}();

}  // namespace detail

/// The CRC-32C of `bytes`.
constexpr std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes)
    crc = (crc >> 8) ^ detail::crc32c_table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

/// The form that TFRecord files store, so that data containing checksums has a sound checksum:
/// rotated right by 15 bits, plus a constant (tensorflow/core/lib/hash/crc32c.h).
constexpr std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

}  // namespace gaze::io
