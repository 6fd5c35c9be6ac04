// SPDX-License-Identifier: MIT
// The suite's own random numbers: splitmix64, so that a seed gives the same problems with every
// compiler and standard library (the distributions of <random> are not portable).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace gaze::phyx::synth {

/// The finaliser of splitmix64: a bijection that spreads every bit over the whole word.
std::uint64_t mix(std::uint64_t x);

/// Two words into one; the order matters.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) { return mix(mix(a) ^ b); }

/// FNV-1a over bytes, finished by mix(). Stable for ever: the splits depend on it.
std::uint64_t hash_text(std::string_view text);

/// A stream of random numbers; equal seeds give equal streams.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(mix(seed)) {}

  /// 64 random bits.
  std::uint64_t next() { return mix(state_++); }

  /// A whole number in [0, count); the bias of the remainder is below 2^-50 here.
  int below(int count) { return static_cast<int>(next() % static_cast<std::uint64_t>(count)); }

  /// A whole number in [low, high], both included.
  int range(int low, int high) { return low + below(high - low + 1); }

  /// A real number in [low, high).
  float real(float low, float high) {
    return low + (high - low) * static_cast<float>(next() >> 40) * 0x1p-24f;
  }

  /// Every order is equally likely (Fisher-Yates).
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(static_cast<int>(i)))]);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace gaze::phyx::synth
