// SPDX-License-Identifier: MIT
// Random numbers from counters: the same on every machine, in any order.
#pragma once
#include <cmath>
#include <cstdint>

#include "phyx/hash.hpp"

namespace gaze::test {

/// A whole number below n (n < 2^32) from the counter (key, i).
inline std::uint32_t draw_below(std::uint64_t key, std::uint64_t i, std::uint32_t n) {
  return std::uint32_t(((phyx::mix_bits(key + phyx::mix_bits(i)) >> 32) * n) >> 32);
}

/// A uniform number within (0, 1).
inline double draw_uniform(std::uint64_t key, std::uint64_t i) {
  return (double(draw_below(key, i, 1u << 30)) + 0.5) / double(1u << 30);
}

/// A standard normal number (Box and Muller 1958).
inline double draw_normal(std::uint64_t key, std::uint64_t i) {
  const double radius = std::sqrt(-2 * std::log(draw_uniform(key, 2 * i)));
  return radius * std::cos(6.283185307179586 * draw_uniform(key, 2 * i + 1));
}

/// A coin flip with probability p.
inline bool coin(std::uint64_t key, std::uint64_t i, double p) { return draw_uniform(key, i) < p; }

}  // namespace gaze::test
