// SPDX-License-Identifier: MIT
// Malicious PNGs, each built from the smallest PNG that decodes, and files that are neither PNG nor
// JPEG.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/image/png.hpp"
#include "tests/hostile_image.hpp"

namespace test_image_png {

using namespace hostile;

namespace {

Bytes chunk(const std::string& type, const Bytes& data) {
  Bytes out;
  gaze::image::detail::put_chunk(out, type, data);
  return out;
}

const Bytes signature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

Bytes ihdr(std::uint32_t width, std::uint32_t height, int depth, int color, int interlace = 0,
           int compression = 0, int filter = 0) {
  Bytes data;
  gaze::image::detail::put_u32(data, width);
  gaze::image::detail::put_u32(data, height);
  for (const int v : {depth, color, compression, filter, interlace}) {
    data.push_back(static_cast<std::uint8_t>(v));
  }
  return chunk("IHDR", data);
}

/// A zlib stream of one stored block.
Bytes stored(const Bytes& data) {
  const auto n = data.size();
  const auto low = static_cast<std::uint8_t>(n), high = static_cast<std::uint8_t>(n >> 8);
  return joined({{0x78, 0x01, 0x01, low, high, static_cast<std::uint8_t>(~low),
                  static_cast<std::uint8_t>(~high)},
                 data,
                 Bytes(4)});
}

Bytes png(const Bytes& header, const Bytes& before, const Bytes& data, const Bytes& after = {}) {
  return joined({signature, header, before, chunk("IDAT", data), after, chunk("IEND", {})});
}

/// Bits of a deflate stream, the lowest of each byte first.
struct DeflateBits {
  Bytes bytes = {0x78, 0x01};
  int count = 0;

  DeflateBits& put(unsigned value, int bits) {
    for (int i = 0; i < bits; ++i, ++count) {
      if (count % 8 == 0) bytes.push_back(0);
      bytes.back() |= static_cast<std::uint8_t>((value >> i & 1) << count % 8);
    }
    return *this;
  }
  /// A Huffman code word, highest bit first.
  DeflateBits& code(unsigned word, int bits) {
    for (int i = bits - 1; i >= 0; --i) put(word >> i & 1, 1);
    return *this;
  }
};

}  // namespace

TEST_CASE("PNG chunks out of order, too long or unknown are refused") {
  const Bytes header = ihdr(1, 1, 8, 2), data = stored({0, 1, 2, 3});
  CHECK(refusal(png(header, {}, data)) == "decoded");
  CHECK(decode_image(png(header, {}, data)).rgb == Bytes{1, 2, 3});
  CHECK(refusal(joined({png(header, {}, data), {1, 2, 3}})) == "decoded");
  const Bytes idat = chunk("IDAT", data), iend = chunk("IEND", {}), text = chunk("tEXt", {'a', 0});
  const auto file = [](const std::vector<Bytes>& chunks) {
    return joined({signature, joined(chunks)});
  };
  check_says(refusal(file({header, idat})), "no IEND chunk");
  check_says(refusal(file({header, iend})), "no IDAT chunk");
  check_says(refusal(file({header, header, idat, iend})), "two IHDR chunks");
  check_says(refusal(file({text, header, idat, iend})), "its first chunk is not IHDR");
  check_says(refusal(file({chunk("CgBI", {1, 2, 3, 4}), header, idat, iend})), "is not IHDR");
  check_says(refusal(file({header, chunk("CgBI", {}), idat, iend})), "not supported: chunk CgBI");
  check_says(refusal(file({header, chunk(std::string("\0\0\0\0", 4), {}), idat, iend})),
             "a chunk without a name");
  check_says(refusal(file({header, chunk("\x1b[31", {}), idat, iend})), "a chunk without a name");
  check_says(refusal(file({header, chunk("IDAT", {0x78, 0x01}), text,
                           chunk("IDAT", Bytes(data.begin() + 2, data.end())), iend})),
             "other chunks among its data");
  CHECK(refusal(file({header, text, chunk("IDAT", {0x78, 0x01}), chunk("IDAT", {}),
                      chunk("IDAT", Bytes(data.begin() + 2, data.end())), text, iend})) ==
        "decoded");
  for (const std::uint8_t high : {0x00, 0x7F, 0x80, 0xFF}) {
    Bytes long_text = text;
    long_text[0] = high;
    long_text[2] = 0xFF;
    check_says(refusal(file({header, long_text, idat, iend})), "ends inside a PNG");
  }
  check_says(refusal(file({header, Bytes(7), iend})), "x: damaged");
}

TEST_CASE("invalid PNG headers are refused") {
  const auto file = [](const Bytes& header) { return png(header, {}, stored(Bytes(64))); };
  for (const auto& [depth, color] : {std::array{0, 0},
                                     {3, 0},
                                     {32, 0},
                                     {1, 2},
                                     {4, 2},
                                     {16, 3},
                                     {1, 4},
                                     {2, 6},
                                     {8, 1},
                                     {8, 5},
                                     {8, 7},
                                     {8, 66}}) {
    check_says(refusal(file(ihdr(1, 1, depth, color))),
               "no PNG has " + std::to_string(depth) + " bits and colour type");
  }
  check_says(refusal(file(ihdr(0, 1, 8, 0))), "no pixels");
  check_says(refusal(file(ihdr(1, 1, 8, 0, 2))), "interlacing 0, 0, 2");
  check_says(refusal(file(ihdr(1, 1, 8, 0, 0, 1))), "interlacing 1, 0, 0");
  check_says(refusal(file(ihdr(1, 1, 8, 0, 0, 0, 1))), "interlacing 0, 1, 0");
  check_says(refusal(file(chunk("IHDR", Bytes(14)))), "IHDR of 14 bytes");
  // stb_image does not recognise these as PNG.
  check_says(refusal(file(ihdr(0x80000000u, 1, 8, 0))), "declares 2147483648x1 pixels");
  check_says(refusal(file(ihdr(0xFFFFFFFFu, 0xFFFFFFFFu, 8, 0))), "declares 4294967295x4294967295");
  check_says(refusal(file(ihdr(1 << 25, 2, 8, 0))), "declares 33554432x2 pixels");
}

TEST_CASE("palettes and transparency stay in their bounds") {
  const auto file = [](const Bytes& before) {
    return png(ihdr(2, 1, 8, 3), before, stored({0, 0, 1}));
  };
  const Bytes two = chunk("PLTE", {9, 8, 7, 6, 5, 4});
  CHECK(decode_image(file(two)).rgb == Bytes{9, 8, 7, 6, 5, 4});
  CHECK(refusal(file(joined({two, chunk("tRNS", {1, 2})}))) == "decoded");
  check_says(refusal(file({})), "no palette");
  check_says(refusal(file(joined({two, two}))), "two palettes");
  for (const std::size_t n : {0, 5, 769, 771}) {
    check_says(refusal(file(chunk("PLTE", Bytes(n)))),
               "a palette of " + std::to_string(n) + " bytes");
  }
  check_says(refusal(file(joined({two, chunk("tRNS", {1, 2, 3})}))), "tRNS of 3 bytes");
  check_says(refusal(file(joined({two, chunk("tRNS", {})}))), "tRNS of 0 bytes");
  check_says(refusal(file(joined({chunk("tRNS", {1}), two}))), "tRNS of 1 bytes");
  check_says(refusal(file(joined({two, chunk("tRNS", {1}), chunk("tRNS", {1})}))), "tRNS twice");
  const auto rgb = [](int color, const Bytes& before, const Bytes& after) {
    return png(ihdr(1, 1, 8, color), before, stored(Bytes(5)), after);
  };
  CHECK(refusal(rgb(2, chunk("tRNS", Bytes(6)), {})) == "decoded");
  check_says(refusal(rgb(2, chunk("tRNS", Bytes(2)), {})), "tRNS of 2 bytes");
  check_says(refusal(rgb(0, chunk("tRNS", Bytes(6)), {})), "tRNS of 6 bytes");
  check_says(refusal(rgb(6, chunk("tRNS", Bytes(6)), {})), "tRNS of 6 bytes");
  check_says(refusal(rgb(2, {}, chunk("tRNS", Bytes(6)))), "tRNS twice or after the data");
  check_says(refusal(rgb(2, {}, two)), "its palette comes too late");
}

TEST_CASE("indices above a short palette are black, not the program's memory") {
  for (const int depth : {1, 2, 4, 8}) {
    const Bytes file =
        png(ihdr(1, 3, depth, 3), chunk("PLTE", {9, 8, 7}), stored({0, 0xFF, 0, 0x00, 0, 0xFF}));
    CHECK(decode_image(file).rgb == Bytes{0, 0, 0, 9, 8, 7, 0, 0, 0});
  }
}

TEST_CASE("invalid deflate data in a PNG are refused") {
  const auto file = [](const Bytes& data) { return png(ihdr(1, 1, 8, 2), {}, data); };
  const auto fixed = [&](auto write) {
    DeflateBits bits;
    bits.put(1, 1).put(1, 2);                        // the last block, fixed codes
    for (int i = 0; i < 4; ++i) bits.code(0x30, 8);  // four zeros
    write(bits);
    bits.code(0, 7);  // the end
    append(bits.bytes, Bytes(8));
    return file(bits.bytes);
  };
  CHECK(refusal(fixed([](DeflateBits&) {})) == "decoded");
  CHECK(refusal(fixed([](DeflateBits& b) { b.code(1, 7).code(3, 5); })) == "decoded");
  // A distance of 0 (codes 30, 31) copies uninitialised bytes; lengths 286, 287 are 0.
  check_says(refusal(fixed([](DeflateBits& b) { b.code(1, 7).code(30, 5); })),
             "a distance that deflate does not have");
  check_says(refusal(fixed([](DeflateBits& b) { b.code(1, 7).code(31, 5); })),
             "a distance that deflate does not have");
  check_says(refusal(fixed([](DeflateBits& b) { b.code(0xC6, 8).code(0, 5); })),
             "a length that deflate does not have");
  check_says(refusal(fixed([](DeflateBits& b) { b.code(1, 7).code(4, 5).put(0, 1); })),
             "its data copy from before their start");
  check_says(refusal(file({0x78, 0x01, 0x07})), "a block of no known type");
  check_says(refusal(file({0x78, 0x01, 0x01, 4, 0, 4, 0})), "a stored block of no clear length");
  check_says(refusal(file({0x78, 0x01, 0x01, 4, 0, 0xFB, 0xFF, 0})), "its data end early");
  check_says(refusal(file({0x78, 0x02})), "no zlib stream");
  check_says(refusal(file({0x78, 0x20 | 0x1B, 0, 0})), "no zlib stream");
  check_says(refusal(file({})), "its data end early");
  check_says(refusal(file(stored({0, 1, 2}))), "not enough pixels: 3 of 4 bytes");
  check_says(refusal(file(stored({5, 1, 2, 3}))), "x: damaged (invalid filter)");
}

TEST_CASE("dynamic Huffman tables of a PNG are checked") {
  const auto dynamic = [](auto write) {
    DeflateBits bits;
    bits.put(1, 1).put(2, 2);
    write(bits);
    append(bits.bytes, Bytes(40));
    return png(ihdr(1, 1, 8, 2), {}, bits.bytes);
  };
  // 288 lengths, 32 distances, 4 sizes (of symbols 16, 17, 18, 0) of code lengths.
  const auto sizes = [](DeflateBits& b, const std::array<unsigned, 4>& of) {
    b.put(31, 5).put(31, 5).put(0, 4);
    for (const unsigned size : of) b.put(size, 3);
  };
  check_says(refusal(dynamic([&](DeflateBits& b) { sizes(b, {1, 1, 1, 0}); })), "too many codes");
  check_says(refusal(dynamic([&](DeflateBits& b) { sizes(b, {1, 0, 0, 0}); })), "repeats nothing");
  check_says(refusal(dynamic([&](DeflateBits& b) {
               sizes(b, {0, 0, 1, 0});
               for (int i = 0; i < 3; ++i) b.code(0, 1).put(127, 7);  // 414 zeros of 320
             })),
             "a Huffman table too long");
  check_says(refusal(dynamic([&](DeflateBits& b) {
               sizes(b, {0, 0, 1, 1});
               for (int i = 0; i < 320; ++i) b.code(0, 1);
             })),
             "a code that its Huffman table does not have");
}

TEST_CASE("a small PNG cannot cost much memory or time") {
  // Half a megabyte that unpacks to half a gigabyte: refused by its header.
  check_says(refusal(png(ihdr(8192, 8192, 16, 6), {}, Bytes(500000))),
             "x: unpacks to 536879104 bytes; the limit is 268435456");
  check_says(refusal(png(ihdr(8192, 8192, 8, 2), {}, Bytes(500000))),
             "unpacks to 201334784; above 67108864 the limit is 256 times the file's size");
  DecodeLimits limits;
  limits.free_unpacked = 1000;
  limits.max_expansion = 4;
  const Bytes flat = encode_png(Image{32, 32, Bytes(32 * 32 * 3)});
  check_says(refusal(flat, limits), "unpacks to 3104; above 1000 the limit is 4 times");
  limits.max_expansion = 100;
  CHECK(refusal(flat, limits) == "decoded");

  // A few extra bytes are accepted, because some writers leave them.
  const auto behind = [](std::size_t extra) {
    std::vector<Bytes> blocks = {{0x78, 0x01}};
    for (extra += 4; extra > 0;) {
      const std::size_t n = std::min<std::size_t>(extra, 50000);
      const auto low = static_cast<std::uint8_t>(n), high = static_cast<std::uint8_t>(n >> 8);
      extra -= n;
      blocks.push_back({static_cast<std::uint8_t>(extra == 0), low, high,
                        static_cast<std::uint8_t>(~low), static_cast<std::uint8_t>(~high)});
      blocks.push_back(Bytes(n));
    }
    return png(ihdr(1, 1, 8, 2), {}, joined(blocks));
  };
  CHECK(refusal(joined({behind(500)})) == "decoded");
  check_says(refusal(behind(70000)), "its data unpack to more than its pixels");

  // 20300 empty blocks: each makes the decoder build its tables, and adds nothing.
  DeflateBits bits;
  for (int i = 0; i < 20300; ++i) bits.put(0, 1).put(1, 2).code(0, 7);
  bits.put(1, 1).put(1, 2);
  for (int i = 0; i < 4; ++i) bits.code(0x30, 8);
  bits.code(0, 7);
  append(bits.bytes, Bytes(8));
  check_says(refusal(png(ihdr(1, 1, 8, 2), {}, bits.bytes)), "its data are too many blocks");
}

TEST_CASE("only PNG and JPEG reach the decoder; other formats are refused by name") {
  // GIF: CVE-2023-45661, -45662, -45664, -45666, -45667; HDR: CVE-2021-42715, CVE-2023-45663;
  // PNM: CVE-2021-42716. TGA (CVE-2023-45663) has no signature.
  using namespace std::string_literals;
  for (const auto& [bytes, name] : std::vector<std::pair<std::string, std::string>>{
           {"GIF89a\x01\0\x01\0\0\0\0;"s, " but a GIF"},
           {"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0"s, " but a BMP"},
           {"#?RADIANCE\n"s, " but a Radiance HDR"},
           {"P6\n1 1\n65535\n"s, " but a PBM, PGM or PPM"},
           {"8BPS\0\x01"s, " but a Photoshop file"},
           {"RIFF\x24\0\0\0WEBPVP8 "s, " but a WebP"},
           {"II*\0\x08\0\0\0"s, " but a TIFF"},
           {"\0\0\0\x1c"
            "ftypavif"s,
            " but a HEIF, AVIF or video"},
           {"<svg xmlns="s, " but an SVG"},
           {""s, " but empty"},
           {"\0\0\x02\0\0\0\0\0\0\0\0\0\x01\0\x01\0\x18\0abc"s, ""}}) {
    CHECK(refusal(Bytes(bytes.begin(), bytes.end())) ==
          "[gaze::decode_image] x: not a PNG or JPEG" + name);
  }
}

TEST_CASE("an error gives its own reason, not that of an earlier image") {
  check_says(refusal(png(ihdr(1, 1, 8, 2), {}, stored({5, 1, 2, 3}))), "(invalid filter)");
  check_says(refusal(png(ihdr(1, 1, 8, 2), {}, {0x78, 0x01, 0x07})),
             "(its data have a block of no known type)");
}

}  // namespace test_image_png
