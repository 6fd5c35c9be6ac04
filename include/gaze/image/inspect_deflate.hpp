// SPDX-License-Identifier: MIT
// Computes the unpacked size of a zlib stream (RFC 1950, 1951) without unpacking it, by reading its
// codes and adding its lengths. So a file that unpacks endlessly, or wastes time on empty
// blocks, is refused before any memory is allocated; and so are invalid deflate codes that
// stb_image 2.27 accepts (a distance of 0 copies uninitialised memory).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gaze/image/hostile_file.hpp"
#include "gaze/image/prefix_code.hpp"

namespace gaze::image::detail {

/// Limit on blocks with Huffman codes: the decoder builds tables for each, which takes 4
/// microseconds, so an empty block of 10 bits costs as much as 1000 bytes of data. Compressors that
/// flush after every row write one per row; others fill blocks with 10000 bytes or more.
inline constexpr std::int64_t kFreeBlocks = 20000, kBytesPerBlock = 256;

class DeflateInspector {
 public:
  /// The stream is the concatenated parts. More than `most` bytes are refused.
  DeflateInspector(const HostileFile& file, std::span<const std::span<const std::uint8_t>> parts,
                   std::int64_t most)
      : file_(file), parts_(parts), most_(most) {}

  /// The unpacked size of the stream in bytes.
  std::int64_t unpacked() {
    const int method = bits(8), flags = bits(8);
    const bool header = method % 16 == 8 && (256 * method + flags) % 31 == 0 && (flags & 32) == 0;
    if (!header) file_.damaged("its data are not a zlib stream");
    for (bool last = false; !last;) {
      last = bit() == 1;
      block(bits(2));
    }
    return unpacked_;
  }

  int bit() {
    if (count_ == 0) {
      byte_ = next_byte();
      count_ = 8;
    }
    return byte_ >> (8 - count_--) & 1;
  }

 private:
  int next_byte() {
    while (!parts_.empty() && at_ == parts_.front().size()) {
      parts_ = parts_.subspan(1);
      at_ = 0;
    }
    if (parts_.empty()) file_.damaged("its data end early");
    return parts_.front()[at_++];
  }

  /// `count` bits, lowest first.
  int bits(int count) {
    int value = 0;
    for (int i = 0; i < count; ++i) value |= bit() << i;
    return value;
  }

  void add(std::int64_t bytes) {
    unpacked_ += bytes;
    if (unpacked_ > most_) file_.damaged("its data unpack to more than its pixels");
  }

  int symbol(const PrefixCode& code) {
    const int found = code.read(*this);
    if (found < 0) file_.damaged("a code missing from its Huffman table");
    return found;
  }

  void define(PrefixCode& code, std::span<const std::uint8_t> lengths) {
    if (!code.define_lengths(lengths)) file_.damaged("a Huffman table with too many codes");
  }

  void block(int type) {
    if (type != 0 && ++blocks_ > kFreeBlocks + most_ / kBytesPerBlock) {
      file_.damaged("its data have too many blocks");
    }
    if (type == 0) return stored_block();
    if (type == 3) file_.damaged("its data have a block of unknown type");
    PrefixCode lengths, distances;
    type == 1 ? fixed_codes(lengths, distances) : dynamic_codes(lengths, distances);
    coded_block(lengths, distances);
  }

  void stored_block() {
    count_ = 0;
    const int length = bits(16), complement = bits(16);
    if ((length ^ complement) != 0xFFFF) file_.damaged("a stored block with inconsistent lengths");
    add(length);
    for (int i = 0; i < length; ++i) next_byte();
  }

  void fixed_codes(PrefixCode& lengths, PrefixCode& distances) {
    std::array<std::uint8_t, PrefixCode::max_symbols> sizes{};
    for (std::size_t s = 0; s < sizes.size(); ++s) {
      sizes[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
    }
    define(lengths, sizes);
    sizes.fill(5);
    define(distances, std::span(sizes).first(32));
  }

  void dynamic_codes(PrefixCode& lengths, PrefixCode& distances) {
    static constexpr std::array<std::uint8_t, 19> order = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                           11, 4,  12, 3, 13, 2, 14, 1, 15};
    const auto lengths_count = static_cast<std::size_t>(bits(5) + 257);
    const auto total = lengths_count + static_cast<std::size_t>(bits(5) + 1);
    const auto order_count = static_cast<std::size_t>(bits(4) + 4);
    std::array<std::uint8_t, 19> order_sizes{};
    for (std::size_t i = 0; i < order_count; ++i) {
      order_sizes[order[i]] = static_cast<std::uint8_t>(bits(3));
    }
    PrefixCode code;
    define(code, order_sizes);
    std::array<std::uint8_t, 320> sizes{};
    for (std::size_t i = 0; i < total;) {
      const int s = symbol(code);
      const bool repeats = s == 16;
      if (repeats && i == 0) file_.damaged("a Huffman table that starts with a repeat");
      const auto value = static_cast<std::uint8_t>(s < 16 ? s : repeats ? sizes[i - 1] : 0);
      const int count = s < 16 ? 1 : repeats ? 3 + bits(2) : s == 17 ? 3 + bits(3) : 11 + bits(7);
      if (static_cast<std::size_t>(count) > total - i)
        file_.damaged("a Huffman table that is too long");
      for (int k = 0; k < count; ++k) sizes[i++] = value;
    }
    define(lengths, std::span(sizes).first(lengths_count));
    define(distances, std::span(sizes).subspan(lengths_count, total - lengths_count));
  }

  /// Literals (0 to 255), the end (256), and copies: a length (257 to 285), then a distance.
  void coded_block(const PrefixCode& lengths, const PrefixCode& distances) {
    for (int s = symbol(lengths); s != 256; s = symbol(lengths)) {
      if (s < 256) {
        add(1);
        continue;
      }
      if (s > 285) file_.damaged("an invalid deflate length");
      const int length = s == 285 ? 258 : s < 265 ? s - 254 : 3 + spread(s - 257, 2);
      const int d = symbol(distances);
      if (d > 29) file_.damaged("an invalid deflate distance");
      const int distance = d < 4 ? d + 1 : 1 + spread(d, 1);
      if (distance > unpacked_) file_.damaged("its data copy from before their start");
      add(length);
    }
  }

  /// The start and the extra bits of range `index`; ranges double every 2^fine codes.
  int spread(int index, int fine) {
    const int extra = (index >> fine) - 1, steps = 1 << fine;
    return ((steps + index % steps) << extra) + bits(extra);
  }

  const HostileFile& file_;
  std::span<const std::span<const std::uint8_t>> parts_;
  std::size_t at_ = 0;
  int byte_ = 0, count_ = 0;
  std::int64_t most_, unpacked_ = 0, blocks_ = 0;
};

}  // namespace gaze::image::detail
