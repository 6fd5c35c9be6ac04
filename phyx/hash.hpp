// SPDX-License-Identifier: MIT
// 64-bit hashes with the same values on every platform: SplitMix64's mixer and FNV-1a for text.
// They decide splits and corruptions, so they must never change.
#pragma once
#include <cstdint>
#include <string_view>

namespace gaze::phyx {

/// Increment of SplitMix64's state.
inline constexpr std::uint64_t split_mix_step = 0x9E3779B97F4A7C15u;

/// SplitMix64 (Steele, Lea, Flood 2014): the output that follows state `x`. A bijection.
constexpr std::uint64_t mix_bits(std::uint64_t x) {
  x += split_mix_step;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// FNV-1a over the bytes of a text.
constexpr std::uint64_t text_key(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

}  // namespace gaze::phyx
