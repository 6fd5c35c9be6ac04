// SPDX-License-Identifier: MIT
// f16: IEEE 754 binary16, a sign, five bits of exponent and ten of fraction. Only a format of
// weight files, whose values are converted to float or bf16 when they are read.
#pragma once
#include <cstdint>

#include "gaze/core/language.hpp"

namespace gaze {

/// A value as it stands in a file.
struct f16 {
  std::uint16_t bits;

  /// Exact: every value is a float. A NaN keeps its sign and fraction.
  constexpr explicit operator float() const {
    const std::uint32_t sign = (bits & 0x8000u) << 16, rest = bits & 0x7FFFu;
    if (rest < 0x400u) {  // zero and subnormal: fraction x 2^-24
      const float size = static_cast<float>(rest) * 0x1p-24f;
      return sign ? -size : size;
    }
    const bool finite = rest < 0x7C00u;  // else infinite, or NaN
    return __builtin_bit_cast(float, sign | ((rest << 13) + (finite ? 112u << 23 : 224u << 23)));
  }
};

static_assert(sizeof(f16) == 2);

}  // namespace gaze
