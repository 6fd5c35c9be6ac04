// SPDX-License-Identifier: MIT
// A picture in memory.
#pragma once
#include <cstdint>
#include <vector>

#include "gaze/core/language.hpp"

namespace gaze::image {

/// Pixels [H][W][3], row by row from the top left, red first.
struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

/// Width and height in pixels.
struct Size {
  int width = 0, height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

}  // namespace gaze::image
