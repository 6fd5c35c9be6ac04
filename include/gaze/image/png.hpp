// SPDX-License-Identifier: MIT
// Encodes pixels as a PNG file in memory (W3C, "Portable Network Graphics", 2nd edition).
// stb_image_write compresses; the file format is written here, because stb keeps its compression
// level in a global that threads would have to share.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/image/decode.hpp"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop
#undef STB_IMAGE_WRITE_STATIC
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STBI_WRITE_NO_STDIO

namespace gaze::image {

namespace detail {

inline void put_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// CRC-32 (polynomial 0xEDB88320, reflected), the checksum of a PNG chunk.
inline std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

/// Appends length, type, data and checksum.
inline void put_chunk(std::vector<std::uint8_t>& out, std::string_view type,
                      std::span<const std::uint8_t> data) {
  put_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  out.insert(out.end(), type.begin(), type.end());
  out.insert(out.end(), data.begin(), data.end());
  put_u32(out, crc32(std::span(out).subspan(start)));
}

/// Prediction of filter 0 to 4 (none, left, up, average, Paeth) from left, up and up-left.
inline int predict(int filter, int left, int up, int corner) {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) / 2;
    case 4: {
      const int estimate = left + up - corner;
      const int to_left = std::abs(estimate - left), to_up = std::abs(estimate - up);
      const int to_corner = std::abs(estimate - corner);
      if (to_left <= to_up && to_left <= to_corner) return left;
      return to_up <= to_corner ? up : corner;
    }
    default:
      return 0;
  }
}

/// One row in PNG's form: the filter's number, then each byte minus its prediction. Chooses the
/// filter with the smallest sum of differences, as the standard suggests.
inline void put_row(std::vector<std::uint8_t>& out, const std::uint8_t* row,
                    const std::uint8_t* above, std::size_t bytes) {
  std::array<std::vector<std::uint8_t>, 5> rows;
  std::array<std::uint64_t, 5> cost{};
  for (int filter = 0; filter < 5; ++filter) {
    const auto f = static_cast<std::size_t>(filter);
    rows[f].resize(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
      const int left = i >= 3 ? row[i - 3] : 0, up = above != nullptr ? above[i] : 0;
      const int corner = i >= 3 && above != nullptr ? above[i - 3] : 0;
      rows[f][i] = static_cast<std::uint8_t>(row[i] - predict(filter, left, up, corner));
      cost[f] += static_cast<std::uint64_t>(std::abs(static_cast<std::int8_t>(rows[f][i])));
    }
  }
  const auto best = std::min_element(cost.begin(), cost.end()) - cost.begin();
  out.push_back(static_cast<std::uint8_t>(best));
  const auto& chosen = rows[static_cast<std::size_t>(best)];
  out.insert(out.end(), chosen.begin(), chosen.end());
}

}  // namespace detail

/// Encodes an RGB image [h][w][3] as a PNG. A higher `level` searches longer for matches and
/// gives a smaller file; below 5 it has no further effect. The same pixels give the same bytes.
inline std::vector<std::uint8_t> encode_png(const std::uint8_t* rgb, int w, int h, int level = 4) {
  GAZE_CHECK(rgb != nullptr && w > 0 && h > 0, "encode_png", "invalid image of ", w, "x", h,
             " pixels");
  const std::size_t row = static_cast<std::size_t>(w) * 3, rows = static_cast<std::size_t>(h);
  GAZE_CHECK(rows <= static_cast<std::size_t>(std::numeric_limits<int>::max()) / 2 / (row + 1),
             "encode_png", w, "x", h, " pixels are too many");
  std::vector<std::uint8_t> filtered;
  filtered.reserve(rows * (row + 1));
  for (std::size_t y = 0; y < rows; ++y) {
    detail::put_row(filtered, rgb + y * row, y > 0 ? rgb + (y - 1) * row : nullptr, row);
  }
  int length = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> packed(
      stbi_zlib_compress(filtered.data(), static_cast<int>(filtered.size()), &length, level),
      std::free);
  GAZE_CHECK(packed != nullptr, "encode_png", "out of memory for ", w, "x", h, " pixels");

  std::vector<std::uint8_t> png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  std::vector<std::uint8_t> header;
  detail::put_u32(header, static_cast<std::uint32_t>(w));
  detail::put_u32(header, static_cast<std::uint32_t>(h));
  for (const int field : {8, 2, 0, 0, 0}) header.push_back(static_cast<std::uint8_t>(field));
  detail::put_chunk(png, "IHDR", header);  // 8 bits, RGB, deflate, adaptive filters, no interlace
  detail::put_chunk(png, "IDAT", {packed.get(), static_cast<std::size_t>(length)});
  detail::put_chunk(png, "IEND", {});
  return png;
}
/// The same of an Image. Error: its bytes do not match its size.
inline std::vector<std::uint8_t> encode_png(const Image& image, int level = 4) {
  const auto expected = static_cast<std::int64_t>(image.width) * image.height * 3;
  GAZE_CHECK(static_cast<std::int64_t>(image.rgb.size()) == expected, "encode_png",
             image.rgb.size(), " bytes are not an image of ", image.width, "x", image.height);
  return encode_png(image.rgb.data(), image.width, image.height, level);
}

}  // namespace gaze::image
