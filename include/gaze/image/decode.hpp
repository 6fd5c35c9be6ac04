// SPDX-License-Identifier: MIT
// Decodes PNG and JPEG to RGB pixels with stb_image.
//
// Images are external input: inspect.hpp checks the whole file before stb_image sees it. As a
// second safeguard while decoding, no single allocation may exceed what an image of that size can
// need, and all memory is zero-initialised, so that none of the program's memory can appear in a
// picture. Alpha is dropped without blending, and grey becomes three equal channels, like Pillow's
// convert("RGB"). 16-bit samples keep their high 8 bits.
//
// stb_image is compiled into each file that includes this, with internal linkage, so it cannot
// clash with another copy; do not define STB_IMAGE_IMPLEMENTATION in the same file.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/image/image.hpp"
#include "gaze/image/inspect.hpp"

namespace gaze::image {

namespace detail {

/// The largest single allocation allowed to this thread's decoder.
inline std::size_t& allocation_limit() {
  thread_local std::size_t limit = 0;
  return limit;
}
inline void* limited_malloc(std::size_t bytes) {
  return bytes <= allocation_limit() ? std::calloc(bytes, 1) : nullptr;
}
inline void* limited_realloc(void* old, std::size_t bytes) {
  return bytes <= allocation_limit() ? std::realloc(old, bytes) : nullptr;
}

/// Doubles the width of a JPEG chroma row: each output is 3/4 its pixel and 1/4 the neighbour, as
/// in libjpeg. stb_image's version uses the wrong neighbour for the last but one.
inline unsigned char* twice_as_wide(unsigned char* out, const unsigned char* in, int width) {
  for (int i = 0; i < width; ++i) {
    const int left = in[i > 0 ? i - 1 : 0], right = in[i + 1 < width ? i + 1 : i];
    out[2 * i] = static_cast<unsigned char>((3 * in[i] + left + 2) >> 2);
    out[2 * i + 1] = static_cast<unsigned char>((3 * in[i] + right + 2) >> 2);
  }
  return out;
}

}  // namespace detail
}  // namespace gaze::image

// stb_image takes the address of a function of this name; its own is renamed (below).
static inline unsigned char* stbi__resample_row_h_2(unsigned char* out, unsigned char* in,
                                                    unsigned char*, int width, int) {
  return gaze::image::detail::twice_as_wide(out, in, width);
}

#define stbi__resample_row_h_2(...) gaze_unused_resample_row_h_2(__VA_ARGS__)
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_ASSERT(condition) static_cast<void>(0)  // the library never exits
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
#undef stbi__resample_row_h_2
#undef STB_IMAGE_STATIC
#undef STB_IMAGE_IMPLEMENTATION
#undef STBI_ONLY_PNG
#undef STBI_ONLY_JPEG
#undef STBI_NO_STDIO
#undef STBI_ASSERT
#undef STBI_NO_LINEAR
#undef STBI_NO_HDR
#undef STBI_MALLOC
#undef STBI_REALLOC
#undef STBI_FREE

namespace gaze::image {

namespace detail {

/// Some failures of stb_image set no reason and would report that of an earlier image. An
/// empty file sets a reason that no inspected file can give.
inline constexpr std::string_view kNoStbReason = "unknown image type";
inline void forget_stb_reason() {
  int width = 0, height = 0, channels = 0;
  stbi_info_from_memory(nullptr, 0, &width, &height, &channels);
}
inline std::string_view stb_reason() {
  const char* reason = stbi_failure_reason();
  const bool known = reason != nullptr && *reason != '\0' && reason != kNoStbReason;
  return known ? reason : "its data cannot be decoded";
}

/// Enough for any buffer of a valid image of this size: 16 bytes per pixel cover four
/// channels of 16 bits unpacked into a doubling buffer, 64 the padding of a side.
inline std::size_t honest_allocation(int width, int height, std::size_t file_bytes) {
  const auto padded = [](int side) { return static_cast<std::size_t>(side) + 64; };
  return 16 * padded(width) * padded(height) + 4 * file_bytes + 65536;
}

}  // namespace detail

/// Decodes a PNG or JPEG.
inline Image decode_image(std::span<const std::uint8_t> bytes, const std::string& source = "image",
                          const DecodeLimits& limits = {}) {
  const Inspected found = inspect(bytes, source, limits);
  std::vector<std::uint8_t> whole;
  if (found.png.short_palette()) {
    whole = detail::with_whole_palette(bytes, found.png);
    bytes = whole;
  }
  detail::allocation_limit() = detail::honest_allocation(found.width, found.height, bytes.size());
  detail::forget_stb_reason();
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height,
                            &channels, 3),
      stbi_image_free);
  GAZE_CHECK(pixels != nullptr, "decode_image", source, ": damaged (", detail::stb_reason(), ")");
  GAZE_CHECK(width == found.width && height == found.height, "decode_image", source,
             ": decoded to ", width, "x", height, " pixels instead of ", found.width, "x",
             found.height);
  const auto count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  return {width, height, {pixels.get(), pixels.get() + count}};
}
/// The same for the bytes of a string.
inline Image decode_image(std::string_view bytes, const std::string& source = "image",
                          const DecodeLimits& limits = {}) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return decode_image(std::span(data, bytes.size()), source, limits);
}

}  // namespace gaze::image
