// SPDX-License-Identifier: MIT
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
//
// Counter-based, without a state: the number for (seed, purpose, sample, position) does not depend
// on the batch, the thread, the device or the order of calls.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include "gaze/core/language.hpp"

namespace gaze {

/// Purpose of a stream of random numbers; streams of different purposes never overlap.
enum class Purpose : std::uint32_t {
  init,
  data,
  corruption,
  sampling,
  evaluation,
  bootstrap,
  test,
  reward
};

namespace detail {
using Counter = std::array<std::uint32_t, 4>;

constexpr Counter philox4x32(Counter c, std::uint32_t k0, std::uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(a)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}
}  // namespace detail

/// Random numbers by address: r.uniform(sample, position).
class Philox {
 public:
  /// The stream of a seed for one purpose.
  constexpr Philox(std::uint64_t seed, Purpose purpose)
      : k0_(static_cast<std::uint32_t>(seed)),
        k1_(static_cast<std::uint32_t>(seed >> 32) ^
            (static_cast<std::uint32_t>(purpose) + 1) * 0x9E3779B9u) {}

  /// Four words for one address.
  constexpr detail::Counter words(std::uint64_t sample, std::uint64_t position) const {
    return detail::philox4x32(
        {static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32),
         static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32)},
        k0_, k1_);
  }
  /// 64 random bits.
  constexpr std::uint64_t bits(std::uint64_t sample, std::uint64_t position) const {
    const auto w = words(sample, position);
    return std::uint64_t{w[0]} << 32 | w[1];
  }
  /// In [0, 1), 53 random bits.
  constexpr double uniform(std::uint64_t sample, std::uint64_t position) const {
    return static_cast<double>(bits(sample, position) >> 11) * 0x1p-53;
  }
  /// An integer in [0, n).
  constexpr std::uint64_t below(std::uint64_t n, std::uint64_t sample,
                                std::uint64_t position) const {
    const auto w = words(sample, position);  // two 32-bit halves: bias below n / 2^64
    const std::uint64_t high = w[0] * n, low = (w[1] * n) >> 32;
    return (high + low) >> 32;
  }
  /// Standard normal (Box and Muller 1958).
  double normal(std::uint64_t sample, std::uint64_t position) const {
    const auto w = words(sample, position);
    const double u = (w[0] + 1.0) * 0x1p-32, v = w[1] * 0x1p-32;
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586476925 * v);
  }

 private:
  std::uint32_t k0_, k1_;
};

/// A random permutation of [0, n) for `epoch` (Fisher and Yates).
template <class Vector>
void shuffle(Vector& items, const Philox& random, std::uint64_t epoch) {
  for (std::size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[random.below(i, epoch, i)]);
}

}  // namespace gaze
