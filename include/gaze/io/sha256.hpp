// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4): identifies a judge's published prompts, keys cached judge replies, and
// checks that a resumed evaluation has the same model and data. Not used for secrets.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "gaze/core/error.hpp"
#include "gaze/io/input_file.hpp"

namespace gaze::io {

namespace detail {

inline constexpr std::array<std::uint32_t, 64> sha256_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

inline void sha256_block(std::array<std::uint32_t, 8>& state, const unsigned char* block) noexcept {
  std::array<std::uint32_t, 64> w{};
  for (std::size_t i = 0; i < 64; ++i)
    if (i < 16) {
      for (std::size_t k = 0; k < 4; ++k) w[i] = w[i] << 8 | block[4 * i + k];
    } else {
      const std::uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
  auto s = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t e = s[4], a = s[0];
    const std::uint32_t one = s[7] + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                              ((e & s[5]) ^ (~e & s[6])) + sha256_constants[i] + w[i];
    const std::uint32_t two = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                              ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
    s = {one + two, s[0], s[1], s[2], s[3] + one, s[4], s[5], s[6]};
  }
  for (std::size_t i = 0; i < 8; ++i) state[i] += s[i];
}

}  // namespace detail

/// The digest of data added in pieces.
class Sha256 {
 public:
  /// Adds the next bytes.
  void update(std::string_view text) {
    length_ += text.size();
    if (!rest_.empty()) {  // complete the partial block
      const std::size_t more = std::min(text.size(), 64 - rest_.size());
      rest_.append(text.substr(0, more));
      text.remove_prefix(more);
      if (rest_.size() < 64) return;
      block(rest_);
      rest_.clear();
    }
    for (; text.size() >= 64; text.remove_prefix(64)) block(text);
    rest_ = text;
  }

  /// 64 lower-case hexadecimal digits; nothing may be added afterwards.
  std::string digits() {
    std::string end(1, '\x80');
    end.append((119 - rest_.size()) % 64, '\0');
    for (int shift = 56; shift >= 0; shift -= 8) end += static_cast<char>(length_ * 8 >> shift);
    update(end);
    std::string out;
    for (const std::uint32_t word : state_)
      for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[word >> shift & 15];
    return out;
  }

 private:
  void block(std::string_view text) noexcept {
    detail::sha256_block(state_, reinterpret_cast<const unsigned char*>(text.data()));
  }

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string rest_;  // a partial block
  std::uint64_t length_ = 0;
};

/// The digest of a text, as digits().
inline std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.digits();
}

/// The digest of a file of any size.
inline std::string sha256_file(const std::string& path) {
  const auto file = open_regular_file(path, "sha256");
  std::ifstream& in = *file;
  Sha256 hash;
  std::string buffer(1 << 16, '\0');
  do {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(in.gcount())));
  } while (in);
  GAZE_CHECK(!in.bad(), "sha256", path, ": cannot be read");
  return hash.digits();
}

}  // namespace gaze::io
