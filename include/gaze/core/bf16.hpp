// SPDX-License-Identifier: MIT
// bf16: the upper half of a float (8 bits of exponent, 7 of mantissa). Only a storage format:
// arithmetic is done in float. constexpr throughout, so kernels of every device share it.
// (__builtin_bit_cast: the library of Emscripten 3.1 lacks std::bit_cast.)
#pragma once
#include <cstdint>

#include "gaze/core/device.hpp"

namespace gaze {

/// A rounded float. Error of one rounding: at most 1/256 of the value.
struct bf16 {
  std::uint16_t bits;

  bf16() = default;
  /// Rounds to nearest, ties to even; a NaN stays a NaN.
  constexpr explicit bf16(float x) : bits(rounded(__builtin_bit_cast(std::uint32_t, x))) {}
  /// Exact: every value is a float.
  constexpr explicit operator float() const {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16);
  }
  /// The value with these bits.
  static constexpr bf16 from_bits(std::uint16_t bits) {
    bf16 x{0.0f};
    x.bits = bits;
    return x;
  }

 private:
  static constexpr std::uint16_t rounded(std::uint32_t u) {
    if ((u & 0x7fffffffu) > 0x7f800000u)  // NaN: keep the sign, make it quiet
      return static_cast<std::uint16_t>((u >> 16) | 0x40u);
    return static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
};

static_assert(sizeof(bf16) == 2);

/// Gradients of bf16 values are float.
template <>
struct GradOfType<bf16> {
  using type = float;  ///< float
};

}  // namespace gaze
