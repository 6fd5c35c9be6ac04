// SPDX-License-Identifier: MIT
// Checks that a file is a PNG or JPEG that is safe to decode, and reads its size.
//
// Pictures are external input, and Debian's stb_image (2.27 in Debian 12) trusts them: a JPEG of
// 759 bytes makes it write out of bounds. So every file is parsed here first, from its first byte
// to its last code: anything that the formats do not allow, or that exceeds the limits, is refused
// before memory is allocated. This is independent of the decoder and its version.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gaze/image/hostile_file.hpp"
#include "gaze/image/inspect_jpeg.hpp"
#include "gaze/image/inspect_png.hpp"

namespace gaze::image {

namespace detail {

/// The known but unsupported format of a file's first bytes, if any.
inline std::string_view foreign_format(std::string_view start) {
  using Entry = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Entry, 14> known = {{
      {"GIF8", "a GIF"},
      {std::string_view("II*\0", 4), "a TIFF"},
      {std::string_view("MM\0*", 4), "a TIFF"},
      {"8BPS", "a Photoshop file"},
      {"#?RADIANCE", "a Radiance HDR"},
      {"%PDF", "a PDF"},
      {"<svg", "an SVG"},
      {"<?xml", "an XML file"},
      {"<!DOCTYPE", "a web page"},
      {"<html", "a web page"},
      {"\xFF\x0A", "a JPEG XL"},
      {std::string_view("\0\0\0\x0CJXL ", 8), "a JPEG XL"},
      {std::string_view("\0\0\0\x0CjP  ", 8), "a JPEG 2000"},
      {std::string_view("\0\0\1\0", 4), "an icon"},
  }};
  const auto part = [&](std::size_t at, std::size_t size) {
    return start.size() >= at + size ? start.substr(at, size) : std::string_view();
  };
  if (part(0, 2) == "BM" && part(6, 4) == std::string_view("\0\0\0\0", 4)) return "a BMP";
  if (part(0, 4) == "RIFF" && part(8, 4) == "WEBP") return "a WebP";
  if (part(4, 4) == "ftyp") return "a HEIF, AVIF or video";
  if (part(0, 1) == "P" && start.size() > 2 && start[1] >= '1' && start[1] <= '6' &&
      (start[2] == '\n' || start[2] == ' ')) {
    return "a PBM, PGM or PPM";
  }
  for (const auto& [magic, name] : known) {
    if (part(0, magic.size()) == magic) return name;
  }
  return start.empty() ? "empty" : "";
}

inline bool starts_with(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

[[noreturn]] inline void refuse_format(const HostileFile& file) {
  std::string start;
  for (const std::uint8_t b : file.bytes.first(std::min<std::size_t>(file.bytes.size(), 16))) {
    start.push_back(static_cast<char>(b));
  }
  const std::string_view name = foreign_format(start);
  GAZE_FAIL("decode_image", file.source, ": not a PNG or JPEG", name.empty() ? "" : " but ", name);
}

}  // namespace detail

/// The header of a file that passed inspection.
struct Inspected {
  int width = 0, height = 0;
  detail::PngHeader png;  // of a PNG
};

/// Checks a whole file; `source` names it in errors.
inline Inspected inspect(std::span<const std::uint8_t> bytes, const std::string& source = "image",
                         const DecodeLimits& limits = {}) {
  GAZE_CHECK(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
             "decode_image", source, ": a file of ", bytes.size(), " bytes is too large");
  const detail::HostileFile file{bytes, source, limits};
  if (detail::starts_with(bytes, std::array<std::uint8_t, 2>{0xFF, 0xD8})) {
    detail::JpegInspector jpeg(file);
    const detail::JpegFrame& frame = jpeg.inspect();
    return {frame.width, frame.height, {}};
  }
  constexpr std::size_t header = 8 + 12 + 13;  // signature and IHDR
  if (!detail::starts_with(bytes, detail::kPngSignature) || bytes.size() < header) {
    detail::refuse_format(file);
  }
  const detail::PngHeader png = detail::PngInspector(file).inspect();
  return {png.width, png.height, png};
}

/// The size {width, height} of a PNG or JPEG that passes inspection, without decoding.
inline std::pair<int, int> image_size(std::span<const std::uint8_t> bytes,
                                      const std::string& source = "image",
                                      const DecodeLimits& limits = {}) {
  const Inspected found = inspect(bytes, source, limits);
  return {found.width, found.height};
}

}  // namespace gaze::image
