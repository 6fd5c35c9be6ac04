// SPDX-License-Identifier: MIT
// PNG and JPEG to pixels, by stb_image, and pixels to what a model reads.
//
// Images come from outside. The size a file declares is checked before anything is decoded, and
// while decoding no single piece of memory may exceed what an image of that size can need: a
// small file that unpacks without end fails, too. Alpha is dropped, not blended with anything, and
// grey becomes three equal channels: what Pillow's convert("RGB") does. Of 16 bits, the high 8
// stay.
//
// stb_image is compiled into each file that includes this, with internal linkage, so it meets no
// other copy in the program; do not define STB_IMAGE_IMPLEMENTATION in the same file.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze::image {

/// Pixels [H][W][3], row by row from the top left, red first.
struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

struct DecodeLimits {
  std::int64_t max_pixels = std::int64_t{64} << 20;
  int max_side = 16384;
};

namespace detail {

/// The largest single allocation that the decoder of this thread may make.
inline std::size_t& allocation_limit() {
  thread_local std::size_t limit = 0;
  return limit;
}
inline void* limited_malloc(std::size_t bytes) {
  return bytes <= allocation_limit() ? std::malloc(bytes) : nullptr;
}
inline void* limited_realloc(void* old, std::size_t bytes) {
  return bytes <= allocation_limit() ? std::realloc(old, bytes) : nullptr;
}

}  // namespace detail
}  // namespace gaze::image

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MALLOC(bytes) ::gaze::image::detail::limited_malloc(bytes)
#define STBI_REALLOC(old, bytes) ::gaze::image::detail::limited_realloc(old, bytes)
#define STBI_FREE(memory) ::std::free(memory)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop
#undef STB_IMAGE_STATIC
#undef STB_IMAGE_IMPLEMENTATION
#undef STBI_ONLY_PNG
#undef STBI_ONLY_JPEG
#undef STBI_NO_STDIO
#undef STBI_NO_LINEAR
#undef STBI_NO_HDR
#undef STBI_MALLOC
#undef STBI_REALLOC
#undef STBI_FREE

namespace gaze::image {

namespace detail {

inline std::string stb_reason() {
  const char* reason = stbi_failure_reason();
  return reason == nullptr ? "unknown" : reason;
}

/// Enough for any buffer an honest image of this size needs: 16 bytes per pixel cover four
/// channels of 16 bits unpacked with the doubling of a growing buffer, 64 the padding of a side.
inline std::size_t honest_allocation(int width, int height, std::size_t file_bytes) {
  const auto padded = [](int side) { return static_cast<std::size_t>(side) + 64; };
  return 16 * padded(width) * padded(height) + 4 * file_bytes + 65536;
}

}  // namespace detail

/// The declared size {width, height} of a PNG or JPEG, checked against the limits; nothing is
/// decoded. `source` names the image in errors.
inline std::pair<int, int> image_size(std::span<const std::uint8_t> bytes,
                                      const std::string& source = "image",
                                      const DecodeLimits& limits = {}) {
  GAZE_CHECK(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
             "decode_image", source, ": a file of ", bytes.size(), " bytes is too large");
  detail::allocation_limit() = 65536;  // headers need next to nothing
  int width = 0, height = 0, channels = 0;
  const int ok = stbi_info_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width,
                                       &height, &channels);
  GAZE_CHECK(ok != 0, "decode_image", source, ": not a PNG or JPEG (", detail::stb_reason(), ")");
  const bool fits = width > 0 && height > 0 && width <= limits.max_side &&
                    height <= limits.max_side && std::int64_t{width} * height <= limits.max_pixels;
  GAZE_CHECK(fits, "decode_image", source, ": declares ", width, "x", height,
             " pixels; the limits are ", limits.max_side, " per side and ", limits.max_pixels,
             " in all");
  return {width, height};
}

/// Decodes a PNG or JPEG.
inline Image decode_image(std::span<const std::uint8_t> bytes, const std::string& source = "image",
                          const DecodeLimits& limits = {}) {
  const auto [declared_width, declared_height] = image_size(bytes, source, limits);
  detail::allocation_limit() =
      detail::honest_allocation(declared_width, declared_height, bytes.size());
  Image image;
  int channels = 0;
  stbi_uc* pixels = stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()),
                                          &image.width, &image.height, &channels, 3);
  GAZE_CHECK(pixels != nullptr, "decode_image", source, ": damaged (", detail::stb_reason(), ")");
  const std::size_t count =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3;
  try {
    image.rgb.assign(pixels, pixels + count);
  } catch (...) {
    stbi_image_free(pixels);
    throw;
  }
  stbi_image_free(pixels);
  return image;
}
inline Image decode_image(std::string_view bytes, const std::string& source = "image",
                          const DecodeLimits& limits = {}) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return decode_image(std::span(data, bytes.size()), source, limits);
}

}  // namespace gaze::image
