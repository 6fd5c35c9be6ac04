// SPDX-License-Identifier: MIT
// Checks all chunks of a PNG before a decoder sees them (W3C, "Portable Network
// Graphics", 2nd edition): lengths, order, the header's combinations, palette and transparency,
// and the unpacked size. Checksums are not compared: a wrong one is harmless.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gaze/image/hostile_file.hpp"
#include "gaze/image/inspect_deflate.hpp"

namespace gaze::image::detail {

inline constexpr std::array<std::uint8_t, 8> kPngSignature = {0x89, 'P',  'N',  'G',
                                                              '\r', '\n', 0x1A, '\n'};

/// Extra bytes allowed after the pixels; some writers leave a few.
inline constexpr std::int64_t kPngSlack = 65536;

struct PngHeader {
  int width = 0, height = 0, depth = 0, color = 0;
  bool interlaced = false;
  std::size_t palette_at = 0;  // file offset of the palette's entries
  int palette = 0;             // its entries; 0: none

  bool indexed() const { return color == 3; }
  bool short_palette() const { return indexed() && palette < 1 << depth; }
  /// Values per pixel: grey, RGB, index, grey and alpha, RGB and alpha.
  int channels() const { return color == 2 ? 3 : color == 4 ? 2 : color == 6 ? 4 : 1; }

  /// Bytes of rows * (1 + row), over all seven passes if the picture is interlaced.
  std::int64_t unpacked() const {
    const auto rows = [&](std::int64_t w, std::int64_t h) {
      return w > 0 && h > 0 ? h * (1 + (w * channels() * depth + 7) / 8) : 0;
    };
    if (!interlaced) return rows(width, height);
    std::int64_t sum = 0;
    for (const auto& [x, y, dx, dy] : {std::array{0, 0, 8, 8},
                                       {4, 0, 8, 8},
                                       {0, 4, 4, 8},
                                       {2, 0, 4, 4},
                                       {0, 2, 2, 4},
                                       {1, 0, 2, 2},
                                       {0, 1, 1, 2}}) {
      sum += rows((width - x + dx - 1) / dx, (height - y + dy - 1) / dy);
    }
    return sum;
  }
};

class PngInspector {
 public:
  explicit PngInspector(const HostileFile& file) : file_(file), reader_(file, file.bytes, "a PNG") {
    reader_.take(kPngSignature.size());
  }

  PngHeader inspect() {
    while (chunk()) {
    }
    if (data_.empty()) file_.damaged("no IDAT chunk");
    const std::int64_t needed = header_.unpacked();
    const std::int64_t found = DeflateInspector(file_, data_, needed + kPngSlack).unpacked();
    if (found < needed) file_.damaged("not enough pixels: ", found, " of ", needed, " bytes");
    return header_;
  }

 private:
  /// One chunk; false after the last.
  bool chunk() {
    if (reader_.left() == 0) file_.damaged("no IEND chunk");
    const std::size_t length = reader_.number(4);
    const auto letters = reader_.take(4);
    const std::string type(letters.begin(), letters.end());
    const bool named = std::all_of(type.begin(), type.end(), [](char c) {
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
    if (!named) file_.damaged("a chunk without a name");
    const auto data = reader_.take(length);
    reader_.take(4);  // checksum
    if (header_.width == 0 && type != "IHDR") file_.damaged("its first chunk is not IHDR");
    if (type == "IEND") return false;
    if (type == "IDAT") return idat(data), true;
    data_ended_ = !data_.empty();
    if (type == "IHDR") {
      ihdr(data);
    } else if (type == "PLTE") {
      plte(data);
    } else if (type == "tRNS") {
      trns(data);
    } else if ((type[0] & 0x20) == 0) {  // upper case: a critical chunk
      file_.unsupported("chunk ", type, " of a PNG");
    }
    return true;
  }

  void ihdr(std::span<const std::uint8_t> data) {
    if (header_.width != 0) file_.damaged("two IHDR chunks");
    if (data.size() != 13) file_.damaged("IHDR of ", data.size(), " bytes");
    HostileReader in(file_, data, "IHDR");
    const std::uint32_t width = in.number(4), height = in.number(4);
    if (width == 0 || height == 0) file_.damaged("no pixels");
    file_.check_size(width, height);
    header_.width = static_cast<int>(width);
    header_.height = static_cast<int>(height);
    header_.depth = in.u8();
    header_.color = in.u8();
    const int compression = in.u8(), filter = in.u8(), interlace = in.u8();
    check_depth();
    if (compression != 0 || filter != 0 || interlace > 1) {
      file_.damaged("compression, filter and interlacing ", compression, ", ", filter, ", ",
                    interlace);
    }
    header_.interlaced = interlace == 1;
    file_.check_unpacked(header_.unpacked());
  }

  void check_depth() const {
    const int d = header_.depth, c = header_.color;
    const bool packed = d == 1 || d == 2 || d == 4;
    const bool right = c == 0   ? packed || d == 8 || d == 16
                       : c == 3 ? packed || d == 8
                                : (c == 2 || c == 4 || c == 6) && (d == 8 || d == 16);
    if (!right) file_.damaged("an invalid combination of ", d, " bits and colour type ", c);
  }

  void plte(std::span<const std::uint8_t> data) {
    if (header_.palette > 0) file_.damaged("two palettes");
    if (has_transparency_ || !data_.empty()) file_.damaged("its palette comes too late");
    if (data.empty() || data.size() % 3 != 0 || data.size() > 3 * 256) {
      file_.damaged("a palette of ", data.size(), " bytes");
    }
    header_.palette = static_cast<int>(data.size() / 3);
    header_.palette_at = static_cast<std::size_t>(data.data() - file_.bytes.data());
  }

  void trns(std::span<const std::uint8_t> data) {
    if (has_transparency_ || !data_.empty()) file_.damaged("tRNS twice or after the data");
    has_transparency_ = true;
    const std::size_t most = static_cast<std::size_t>(header_.palette);
    const bool right = header_.indexed()    ? !data.empty() && data.size() <= most
                       : header_.color == 0 ? data.size() == 2
                       : header_.color == 2 ? data.size() == 6
                                            : false;
    if (!right) file_.damaged("tRNS of ", data.size(), " bytes");
  }

  void idat(std::span<const std::uint8_t> data) {
    if (data_ended_) file_.damaged("other chunks among its data");
    if (header_.indexed() && header_.palette == 0) file_.damaged("no palette");
    data_.push_back(data);
  }

  const HostileFile& file_;
  HostileReader reader_;
  PngHeader header_;
  bool has_transparency_ = false, data_ended_ = false;
  std::vector<std::span<const std::uint8_t>> data_;  // of the IDAT chunks
};

/// The file with its palette padded with black to 2^depth entries. For indices above a short
/// palette, stb_image reads uninitialised memory.
inline std::vector<std::uint8_t> with_whole_palette(std::span<const std::uint8_t> bytes,
                                                    const PngHeader& header) {
  const std::size_t old = 3 * static_cast<std::size_t>(header.palette);
  const std::size_t whole = std::size_t{3} << header.depth;
  const auto split = bytes.begin() + static_cast<std::ptrdiff_t>(header.palette_at + old);
  std::vector<std::uint8_t> out(bytes.begin(), split);
  out.insert(out.end(), whole - old, 0);
  out.insert(out.end(), split, bytes.end());
  out[header.palette_at - 6] = static_cast<std::uint8_t>(whole >> 8);  // the chunk's length
  out[header.palette_at - 5] = static_cast<std::uint8_t>(whole);
  return out;
}

}  // namespace gaze::image::detail
