// SPDX-License-Identifier: MIT
// PNG bytes from RGB rows, through stb_image_write compiled privately into the including file.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "gaze/core/error.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#ifndef INCLUDE_STB_IMAGE_WRITE_H
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#endif
#include <stb/stb_image_write.h>
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#pragma GCC diagnostic pop

namespace gaze::phyx::synth {

/// Encodes width x height RGB pixels (3 bytes each, rows from the top, no padding) as PNG.
inline std::vector<std::uint8_t> encode_png(const std::vector<std::uint8_t>& rgb, int width,
                                            int height) {
  GAZE_CHECK(width > 0 && height > 0, "encode_png", "size is ", width, "x", height);
  GAZE_CHECK(rgb.size() == 3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
             "encode_png", rgb.size(), " bytes for ", width, "x", height, " pixels");
  int length = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(
      stbi_write_png_to_mem(rgb.data(), 3 * width, width, height, 3, &length), std::free);
  GAZE_CHECK(bytes != nullptr, "encode_png", "out of memory for ", width, "x", height);
  return {bytes.get(), bytes.get() + length};
}

}  // namespace gaze::phyx::synth
