// SPDX-License-Identifier: MIT
// Pictures that are formulas, the same as in tests/golden/make_pictures_golden.py.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gaze/image/image.hpp"

namespace gaze::test {

/// Gradients with small steps.
inline image::Image smooth_picture(int width, int height) {
  image::Image out{width, height, {}};
  out.rgb.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  const int right = std::max(width - 1, 1), bottom = std::max(height - 1, 1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int checks = (x / 7 + y / 5) % 2 * 40;
      for (const int value : {x * 255 / right ^ (x * y & 31), y * 255 / bottom + checks,
                              x * 13 + y * 7 + (x * x + y * y) / 97})
        out.rgb.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return out;
}

/// Half of the values 0 or 255, which expose rounding and overshoot.
inline image::Image noise_picture(int width, int height) {
  image::Image out{width, height, {}};
  const auto count = static_cast<std::uint32_t>(width) * static_cast<std::uint32_t>(height) * 3;
  out.rgb.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t v = i * 2654435761u;
    v = (v ^ v >> 15) * 2246822519u;
    v ^= v >> 13;
    const std::uint32_t kind = (v >> 8) % 4;
    out.rgb.push_back(static_cast<std::uint8_t>(kind == 0 ? 0 : kind == 1 ? 255 : v % 256));
  }
  return out;
}

inline image::Image picture(const std::string& kind, int width, int height) {
  return kind == "noise" ? noise_picture(width, height) : smooth_picture(width, height);
}

}  // namespace gaze::test
