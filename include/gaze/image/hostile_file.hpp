// SPDX-License-Identifier: MIT
// A picture file under inspection: its bytes, its name for errors, the limits, and bounds-checked
// readers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "gaze/core/error.hpp"

namespace gaze::image {

/// Cost limits for a picture. The worst file within the defaults takes about 0.6 GB and a few
/// seconds on one core; pictures of problems take a thousandth of that.
struct DecodeLimits {
  /// 8192 x 8192: larger than any photograph that a model would see.
  std::int64_t max_pixels = std::int64_t{64} << 20;
  int max_side = 16384;
  /// Unpacked bytes before conversion to RGB (progressive JPEG: samples and their 2-byte
  /// coefficients): 8-bit RGBA at max_pixels.
  std::int64_t max_unpacked = std::int64_t{256} << 20;
  /// Any file may unpack to this size: 16 million RGBA pixels. An empty canvas
  /// compresses 1000 times (PNG) or 200 times (JPEG).
  std::int64_t free_unpacked = std::int64_t{64} << 20;
  /// Above free_unpacked, the maximum unpacked bytes per byte of the file. Large drawings reach 50
  /// to 200, photographs 2 to 20.
  std::int64_t max_expansion = 256;
};

namespace detail {

/// One file under inspection.
struct HostileFile {
  std::span<const std::uint8_t> bytes;
  const std::string& source;
  const DecodeLimits& limits;

  template <class... Parts>
  [[noreturn]] void damaged(const Parts&... parts) const {
    GAZE_FAIL("decode_image", source, ": damaged (", parts..., ")");
  }
  template <class... Parts>
  [[noreturn]] void unsupported(const Parts&... parts) const {
    GAZE_FAIL("decode_image", source, ": not supported: ", parts...);
  }

  void check_size(std::int64_t width, std::int64_t height) const {
    const bool fits = width <= limits.max_side && height <= limits.max_side &&
                      width * height <= limits.max_pixels;
    GAZE_CHECK(fits, "decode_image", source, ": declares ", width, "x", height,
               " pixels; the limits are ", limits.max_side, " per side and ", limits.max_pixels,
               " in total");
  }

  void check_unpacked(std::int64_t unpacked) const {
    const auto size = static_cast<std::int64_t>(bytes.size());
    GAZE_CHECK(unpacked <= limits.max_unpacked, "decode_image", source, ": unpacks to ", unpacked,
               " bytes; the limit is ", limits.max_unpacked);
    GAZE_CHECK(unpacked <= limits.free_unpacked || unpacked / limits.max_expansion <= size,
               "decode_image", source, ": a file of ", size, " bytes unpacks to ", unpacked,
               "; above ", limits.free_unpacked, " the limit is ", limits.max_expansion,
               " times the file's size");
  }
};

/// Reads big-endian numbers from a part of a file; an Error past its end.
class HostileReader {
 public:
  HostileReader(const HostileFile& file, std::span<const std::uint8_t> part, const char* what)
      : file_(file), part_(part), what_(what) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return part_.size() - at_; }

  std::span<const std::uint8_t> take(std::size_t count) {
    if (count > left()) file_.damaged("ends inside ", what_);
    at_ += count;
    return part_.subspan(at_ - count, count);
  }
  /// A big-endian number of `count` bytes.
  std::uint32_t number(std::size_t count) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : take(count)) value = value << 8 | byte;
    return value;
  }
  int u8() { return static_cast<int>(number(1)); }
  int u16() { return static_cast<int>(number(2)); }

 private:
  const HostileFile& file_;
  std::span<const std::uint8_t> part_;
  const char* what_;
  std::size_t at_ = 0;
};

}  // namespace detail
}  // namespace gaze::image
