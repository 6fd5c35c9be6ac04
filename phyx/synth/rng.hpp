// SPDX-License-Identifier: MIT
// The suite's random numbers: hashed counters, so that a seed gives the same problems with every
// compiler and standard library (the distributions of <random> are not portable).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "phyx/hash.hpp"

namespace gaze::phyx::synth {

/// Two words into one; the order matters.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) { return mix_bits(mix_bits(a) ^ b); }

/// A text's hash. Must not change: the splits depend on it.
inline std::uint64_t hash_text(std::string_view text) { return mix_bits(text_key(text)); }

/// A stream of random numbers; equal seeds give equal streams.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(mix_bits(seed)) {}

  /// 64 random bits.
  std::uint64_t next() { return mix_bits(state_++); }

  /// An integer in [0, count); the bias of the remainder is below 2^-50 here.
  int below(int count) { return static_cast<int>(next() % static_cast<std::uint64_t>(count)); }

  /// An integer in [low, high].
  int range(int low, int high) { return low + below(high - low + 1); }

  /// A real number in [low, high).
  float real(float low, float high) {
    return low + (high - low) * static_cast<float>(next() >> 40) * 0x1p-24f;
  }

  /// Shuffles uniformly (Fisher-Yates).
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
