// SPDX-License-Identifier: MIT
// Pictures made to harm: files that overrun, outlast or outgrow stb_image 2.27, each built here
// from the smallest file that decodes. Where a public report has a number (CVE), the case names it.
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/image/decode.hpp"
#include "gaze/image/png.hpp"
#include "tests/test.hpp"

namespace {

using namespace gaze::image;
using Bytes = std::vector<std::uint8_t>;

/// The error of decoding, which image_size must give as well unless only decoding can find it.
std::string refusal(const Bytes& file, const DecodeLimits& limits = {}) {
  std::string error = "decoded";
  try {
    image_size(file, "x", limits);
  } catch (const gaze::Error& e) {
    error = e.what();
  }
  try {
    decode_image(file, "x", limits);
  } catch (const gaze::Error& e) {
    return error == "decoded" || error == e.what() ? e.what() : "two errors: " + error;
  }
  return error == "decoded" ? error : "decoded in spite of " + error;
}

bool contains(const std::string& text, const std::string& part) {
  INFO("\"" << text << "\" should contain \"" << part << "\"");
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}

// ---- JPEG ---------------------------------------------------------------------------------------

Bytes segment(int marker, const Bytes& data) {
  const std::size_t length = data.size() + 2;
  return joined({{0xFF, static_cast<std::uint8_t>(marker), static_cast<std::uint8_t>(length >> 8),
                  static_cast<std::uint8_t>(length)},
                 data});
}

const Bytes start = {0xFF, 0xD8}, end = {0xFF, 0xD9};

Bytes quantization(int table = 0, int value = 1) {
  return segment(0xDB, joined({{static_cast<std::uint8_t>(table)},
                               Bytes(64, static_cast<std::uint8_t>(value))}));
}

/// `class_and_table`: 0x00 for DC 0, 0x10 for AC 0. `counts`: of codes of 1, 2, … bits.
Bytes huffman(int class_and_table, Bytes counts, const Bytes& symbols) {
  counts.resize(16);
  return segment(0xC4, joined({{static_cast<std::uint8_t>(class_and_table)}, counts, symbols}));
}

/// Code 0 is the symbol 0: no difference, and the end of a block.
Bytes shortest_codes() { return joined({huffman(0x00, {1}, {0}), huffman(0x10, {1}, {0})}); }

struct Part {
  int id = 1, sampling = 0x11, quantization = 0;
};

Bytes frame(int width, int height, const std::vector<Part>& parts = {Part{}}, int marker = 0xC0,
            int bits = 8) {
  Bytes data = {static_cast<std::uint8_t>(bits),   static_cast<std::uint8_t>(height >> 8),
                static_cast<std::uint8_t>(height), static_cast<std::uint8_t>(width >> 8),
                static_cast<std::uint8_t>(width),  static_cast<std::uint8_t>(parts.size())};
  for (const auto& [id, sampling, table] : parts) {
    for (const int v : {id, sampling, table}) data.push_back(static_cast<std::uint8_t>(v));
  }
  return segment(marker, data);
}

/// A scan of components that use Huffman tables 0, and its data.
Bytes scan(const Bytes& ids, int first, int last, int bits, const Bytes& data) {
  Bytes header = {static_cast<std::uint8_t>(ids.size())};
  for (const std::uint8_t id : ids) append(header, {id, 0});
  for (const int v : {first, last, bits}) header.push_back(static_cast<std::uint8_t>(v));
  return joined({segment(0xDA, header), data});
}
Bytes scan(const Bytes& data = {0x3F}) { return scan({1}, 0, 63, 0, data); }

/// A scan's bits as bytes: filled up with ones, a zero behind every 0xFF.
Bytes bits(const std::string& text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size() || i % 8 != 0; ++i) {
    if (i % 8 == 0) out.push_back(0);
    const bool one = i >= text.size() || text[i] == '1';
    out.back() |= static_cast<std::uint8_t>((one ? 0x80 : 0) >> i % 8);
    if (i % 8 == 7 && out.back() == 0xFF) out.push_back(0);
  }
  return out;
}

/// 8 x 8 pixels of medium grey.
Bytes small_jpeg() {
  return joined({start, quantization(), frame(8, 8), shortest_codes(), scan(), end});
}

/// A grey JPEG of 8 x 8 pixels with these tables and these scans.
Bytes progressive(const Bytes& tables, const Bytes& scans) {
  return joined({start, quantization(), frame(8, 8, {Part{}}, 0xC2), tables, scans, end});
}

// ---- PNG ----------------------------------------------------------------------------------------

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
  /// A Huffman code word, which comes with its highest bit first.
  DeflateBits& code(unsigned word, int bits) {
    for (int i = bits - 1; i >= 0; --i) put(word >> i & 1, 1);
    return *this;
  }
};

}  // namespace

TEST_CASE("the smallest JPEG decodes, and what may be written differently changes nothing") {
  const Image plain = decode_image(small_jpeg());
  CHECK(plain.rgb == Bytes(8 * 8 * 3, 128));
  const Bytes app = segment(0xE1, {'E', 'x', 'i', 'f', 0, 0, 0xFF, 0xD9, 0xFF, 0xC4});
  const Bytes comment = segment(0xFE, {'h', 'i', 0xFF});
  const Bytes tables = joined({quantization(), frame(8, 8), shortest_codes()});
  for (const Bytes& file : {
           joined({start, app, comment, tables, comment, scan(), end}),
           joined({start, {0xFF, 0xFF}, tables, scan(), {0xFF}, end}),
           joined({start, app, {0, 0, 0}, tables, scan(), end}),
           joined({start, tables, scan(), end, {0xFF, 0xC4, 0xFF, 0xFF}}),
           joined({start, tables, scan({0x3F, 0, 0, 0, 0, 0, 0}), end}),
           joined({start, tables, segment(0xDD, {0, 1}), scan({0x3F, 0xFF, 0xD0}), end}),
           joined({start, tables, scan(), segment(0xDC, {0, 8}), end}),
           joined(
               {start, quantization(), frame(8, 8, {Part{}}, 0xC1), shortest_codes(), scan(), end}),
           progressive(shortest_codes(), scan({1}, 0, 0, 0, {0x7F})),
           progressive(shortest_codes(),
                       joined({scan({1}, 0, 0, 1, {0x7F}), scan({1}, 0, 0, 0x10, {0x7F}),
                               scan({1}, 1, 63, 0, {0x7F})})),
       }) {
    CHECK(refusal(file) == "decoded");
    CHECK(decode_image(file).rgb == plain.rgb);
  }
}

TEST_CASE("restart markers are taken where they are due and nowhere else") {
  const auto file = [](int interval, const Bytes& data) {
    return joined({start, quantization(), frame(24, 8), shortest_codes(),
                   segment(0xDD, {0, static_cast<std::uint8_t>(interval)}), scan(data), end});
  };
  CHECK(refusal(file(0, {0x03})) == "decoded");
  CHECK(refusal(file(1, {0x3F, 0xFF, 0xD0, 0x3F, 0xFF, 0xFF, 0xD1, 0x3F})) == "decoded");
  CHECK(refusal(file(2, {0x0F, 0xFF, 0xD0, 0x3F})) == "decoded");
  contains(refusal(file(1, {0x3F, 0xFF, 0xD0, 0x3F, 0x3F})), "a restart marker is missing");
  contains(refusal(file(0, {0x03, 0xFF, 0xD0})), "a restart marker where none is due");
  contains(refusal(file(2, {0x0F, 0xFF, 0xD0, 0x3F, 0xFF, 0xD1})), "where none is due");
  contains(refusal(file(1, {0x3F, 0xFF, 0xD0, 0xFF, 0xD1, 0x3F})), "a scan ends early");
}

TEST_CASE("JPEG Huffman tables never overrun the decoder's (CVE-2022-28042, CVE-2021-28021)") {
  // Nine bytes: counts of 255 and 3 codes of one bit, then nothing.
  contains(refusal({0xFF, 0xD8, 0xFF, 0xC4, 0xFF, 0x03, 0x01, 0xFF, 0x03}),
           "x: damaged (ends inside");
  const auto with = [](const Bytes& table) {
    return joined({start, quantization(), frame(8, 8), shortest_codes(), table, scan(), end});
  };
  Bytes all(16, 255);
  contains(refusal(with(huffman(0x10, all, Bytes(16 * 255)))), "a Huffman table of 4080 codes");
  Bytes counts(16);
  counts[14] = 129;
  counts[15] = 128;
  contains(refusal(with(huffman(0x00, counts, Bytes(257)))), "a Huffman table of 257 codes");
  counts = {0, 0, 0, 0, 0, 0, 0, 255, 1};
  contains(refusal(with(huffman(0x10, counts, Bytes(256)))), "a Huffman table of 256 codes");
  contains(refusal(with(huffman(0x10, {3}, {1, 2, 3}))), "too many codes");
  contains(refusal(with(huffman(0x10, {2, 1}, {1, 2, 3}))), "too many codes");
  contains(refusal(with(huffman(0x04, {1}, {0}))), "a Huffman table 4");
  contains(refusal(with(huffman(0x20, {1}, {0}))), "a Huffman table 32");
  contains(refusal(with(huffman(0x00, {1}, {16}))), "differences too large");
  contains(refusal(with(huffman(0x00, {2}, {0}))), "ends inside a segment");
  CHECK(refusal(with(huffman(0x13, {2}, {1, 2}))) == "decoded");
}

TEST_CASE("a JPEG scan without its tables is refused") {
  // stb_image 2.27 reads tables that nobody wrote, and beyond them.
  const Bytes q = quantization(), f = frame(8, 8);
  const Bytes dc = huffman(0x00, {1}, {0}), ac = huffman(0x10, {1}, {0});
  contains(refusal(joined({start, q, f, ac, scan(), end})), "without its Huffman table");
  contains(refusal(joined({start, q, f, dc, scan(), end})), "without its Huffman table");
  contains(refusal(joined({start, quantization(1), f, dc, ac, scan(), end})),
           "without its quantisation table");
  const Bytes p = frame(8, 8, {Part{}}, 0xC2), mean = scan({1}, 0, 0, 0, {0x7F});
  CHECK(refusal(joined({start, q, p, dc, mean, end})) == "decoded");
  contains(refusal(joined({start, q, p, ac, mean, end})), "without its Huffman table");
  contains(refusal(joined({start, q, p, dc, mean, scan({1}, 1, 63, 0, {0x7F}), end})),
           "without its Huffman table");
  contains(refusal(joined({start, quantization(4), f, dc, ac, scan(), end})), "quantisation table");
  contains(refusal(joined({start, quantization(0x20), f, dc, ac, scan(), end})),
           "quantisation table");
}

TEST_CASE("JPEG frames that the decoder cannot hold are refused (CVE-2021-37789)") {
  const auto file = [](const Bytes& frame_segment) {
    return joined({start, quantization(), frame_segment, shortest_codes(), scan(), end});
  };
  contains(refusal(file(frame(8, 8, {{1, 0x31}, {2, 0x21}, {3, 0x11}}))), "sampling 2x1 of 3x1");
  contains(refusal(file(frame(8, 8, {{1, 0x14}, {2, 0x13}, {3, 0x11}}))), "sampling 1x3 of 1x4");
  contains(refusal(file(frame(8, 8, {{1, 0x01}}))), "sampling 0x1");
  contains(refusal(file(frame(8, 8, {{1, 0x15}}))), "sampling 1x5");
  contains(refusal(file(frame(8, 8, {{1, 0x11, 4}}))), "quantisation table 4");
  contains(refusal(file(frame(8, 8, {{1}, {2}}))), "a JPEG of 2 components");
  contains(refusal(file(frame(8, 8, {{1}, {1}, {3}}))), "two components 1");
  contains(refusal(file(frame(0, 8))), "no pixels");
  contains(refusal(file(frame(8, 0))), "says its height after its data");
  contains(refusal(file(frame(8, 8, {Part{}}, 0xC0, 12))), "a JPEG of 12 bits");
  contains(refusal(file(joined({frame(8, 8), frame(8, 8)}))), "two frames");
  contains(refusal(file(segment(0xC0, {8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0}))), "too long");
  contains(refusal(file(segment(0xC0, {8, 0, 8, 0, 8, 1, 1, 0x11}))), "ends inside");
  contains(refusal(file(frame(20000, 1))),
           "declares 20000x1 pixels; the limits are 16384 per side");
  contains(refusal(file(frame(16384, 16384))), "declares 16384x16384 pixels");
}

TEST_CASE("JPEG scans that the frame does not allow are refused") {
  const Bytes head =
      joined({start, quantization(), frame(8, 8, {{1}, {2}, {3}}), shortest_codes()});
  const auto file = [&](const Bytes& scans) { return joined({head, scans, end}); };
  const Bytes all = scan({1, 2, 3}, 0, 63, 0, {0x03});
  CHECK(refusal(file(all)) == "decoded");
  CHECK(refusal(file(joined({scan({2}, 0, 63, 0, {0x3F}), scan({3, 1}, 0, 63, 0, {0x0F})}))) ==
        "decoded");
  contains(refusal(file(scan({}, 0, 63, 0, {}))), "a scan of 0 components");
  contains(refusal(file(scan({1, 2, 3, 4}, 0, 63, 0, {}))), "a scan of 4 components");
  contains(refusal(file(scan({4}, 0, 63, 0, {}))), "a component that the frame does not have");
  contains(refusal(file(scan({1, 1}, 0, 63, 0, {}))), "a component twice");
  contains(refusal(file(joined({all, all}))), "repeats or leaves out");
  contains(refusal(file(scan({1, 2}, 0, 63, 0, {0x0F}))), "component 3 has no data");
  contains(refusal(file({})), "component 1 has no data");
  contains(refusal(file(scan({1}, 1, 63, 0, {}))), "a scan of some coefficients");
  contains(refusal(file(scan({1}, 0, 63, 1, {}))), "a scan of some coefficients");
  contains(refusal(file(segment(0xDA, {1, 1, 0x40, 0, 63, 0}))), "a Huffman table above 3");
  contains(refusal(file(segment(0xDA, {1, 1, 0, 0, 63, 0, 0}))), "too long");
  contains(refusal(file(segment(0xDA, {3, 1, 0, 2, 0}))), "ends inside");
  contains(refusal(joined({start, quantization(), shortest_codes(), all, end})),
           "before the frame");
  contains(refusal(joined({start, end})), "no frame");
  contains(refusal(joined({head, all})), "no EOI marker");
  contains(refusal(joined({head, all, start, end})), "out of place");
  contains(refusal(joined({head, all, {0xFF, 0x01}, end})), "out of place");
  contains(refusal(joined({head, all, segment(0xDC, {0, 9}), end})), "another number of lines");
}

TEST_CASE("progressive JPEGs send every bit once, the mean first") {
  const Bytes t = shortest_codes(), mean = scan({1}, 0, 0, 0, {0x7F});
  const auto file = [&](const Bytes& scans) { return progressive(t, scans); };
  contains(refusal(file(joined({mean, mean}))), "repeats or leaves out");
  contains(refusal(file(scan({1}, 0, 0, 0x10, {0x7F}))), "repeats or leaves out");
  contains(refusal(file(joined({scan({1}, 0, 0, 2, {0x7F}), scan({1}, 0, 0, 0x10, {0x7F})}))),
           "repeats or leaves out");
  contains(refusal(file(joined({scan({1}, 1, 63, 0, {0x7F}), mean}))), "details before the mean");
  const Bytes details = scan({1}, 1, 63, 0, {0x7F});
  contains(refusal(file(joined({mean, details, details}))), "repeats or leaves out");
  for (const auto& [first, last, bits] :
       {std::array{0, 1, 0}, {1, 64, 0}, {64, 64, 0}, {5, 4, 0}, {1, 63, 0x0E}, {1, 63, 0x20}}) {
    contains(refusal(file(joined({mean, scan({1}, first, last, bits, {0x7F})}))),
             "a scan of 1 components, coefficients");
  }
  const Bytes colour =
      joined({start, quantization(), frame(8, 8, {{1}, {2}, {3}}, 0xC2), t,
              scan({1, 2, 3}, 0, 0, 0, {0x1F}), scan({1, 2}, 1, 5, 0, {0x3F}), end});
  contains(refusal(colour), "a scan of 2 components, coefficients 1 to 5");
}

TEST_CASE("JPEG data that end early or overflow are refused (CVE-2022-28041, CVE-2022-28048)") {
  // A difference of 15 bits is announced, and the scan ends: stb_image 2.27 then shifts by 39.
  const Bytes wide = joined({huffman(0x00, {1}, {15}), huffman(0x10, {1}, {0x0F})});
  const auto baseline = [&](const Bytes& data, int width = 8) {
    return joined({start, quantization(), frame(width, 8), wide, scan(data), end});
  };
  contains(refusal(baseline({0x3F})), "a scan ends early");
  contains(refusal(baseline({0x7F})), "a scan ends early");
  contains(refusal(joined({start, quantization(), frame(8, 8), wide, scan({0x3F})})),
           "ends inside a scan");
  contains(refusal(baseline({0x80, 0, 0, 0})), "a code that its Huffman table does not have");
  // Mean and details of +32767 each: 0 and fifteen 1.
  const Bytes first = joined({huffman(0x00, {1}, {15}), huffman(0x10, {1}, {0})});
  const std::string most = "0" + std::string(15, '1');
  const auto means = [&](int width, const std::string& data) {
    return joined({start, quantization(), frame(width, 8), first, scan(bits(data)), end});
  };
  CHECK(refusal(means(8, most + "0")) == "decoded");
  contains(refusal(means(16, most + "0" + most + "0")), "a mean brightness out of range");
  const auto progressive_means = [&](int width, const std::string& data) {
    return joined({start, quantization(), frame(width, 8, {Part{}}, 0xC2), first,
                   scan({1}, 0, 0, 13, bits(data)), end});
  };
  contains(refusal(progressive_means(16, most + most)), "a mean brightness out of range");
  // Details of 15 bits, shifted by 13.
  const Bytes large = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1}, {0x0F})});
  const Bytes mean = scan({1}, 0, 0, 0, {0x7F});
  contains(refusal(progressive(large, joined({mean, scan({1}, 1, 63, 13, bits(most))}))),
           "a coefficient too large");
  // Two bits of a coefficient in a scan that adds one.
  const Bytes two = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1, 1}, {0, 0x02})});
  contains(refusal(progressive(
               two, joined({mean, scan({1}, 1, 63, 1, {0x7F}), scan({1}, 1, 63, 0x10, {0xBF})}))),
           "a new coefficient of more than one bit");
}

TEST_CASE("a refining scan needs one bit for each coefficient that scans before it sent") {
  // AC codes: 0: the end; 10: a number of one bit. Twelve numbers; the next scan refines them and
  // adds another; the last refines thirteen.
  const Bytes tables = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1, 1}, {0x00, 0x01})});
  std::string twelve;
  for (int i = 0; i < 12; ++i) twelve += i % 2 == 0 ? "101" : "100";
  const std::string more =
      "10"
      "1" +
      std::string(12, '0') + "0";
  const auto file = [&](const std::string& second, const std::string& third) {
    return progressive(
        tables,
        joined({scan({1}, 0, 0, 0, {0x7F}), scan({1}, 1, 63, 0x02, bits(twelve + "0")),
                scan({1}, 1, 63, 0x21, bits(second)), scan({1}, 1, 63, 0x10, bits(third))}));
  };
  CHECK(refusal(file(more, "0" + std::string(13, '1'))) == "decoded");
  contains(refusal(file("0" + std::string(7, '0'), "0" + std::string(13, '1'))), "ends early");
  contains(refusal(file(more, "0" + std::string(7, '1'))), "a scan ends early");
  // A run of 15 zeros and one more passes the numbers, then the band's end.
  const Bytes zeros = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1, 1, 1}, {0, 1, 0xF0})});
  CHECK(refusal(progressive(zeros, joined({scan({1}, 0, 0, 0, {0x7F}),
                                           scan({1}, 1, 20, 0x01,
                                                bits("110"
                                                     "101"
                                                     "0")),
                                           scan({1}, 1, 20, 0x10,
                                                bits("110"
                                                     "0"
                                                     "1"))}))) == "decoded");
}

TEST_CASE("JPEGs of kinds that cannot be read are refused by name") {
  const auto file = [](int marker) {
    return joined(
        {start, quantization(), frame(8, 8, {Part{}}, marker), shortest_codes(), scan(), end});
  };
  contains(refusal(file(0xC3)), "x: not supported: a lossless JPEG");
  for (const int m : {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE, 0xDF}) {
    contains(refusal(file(m)), "x: not supported: a hierarchical JPEG");
  }
  for (const int m : {0xC9, 0xCA, 0xCB, 0xCC}) {
    contains(refusal(file(m)), "x: not supported: a JPEG with arithmetic coding");
  }
  contains(refusal(file(0xF7)), "x: not supported: a JPEG-LS");
  contains(refusal(file(0xC8)), "x: damaged (an unknown marker 200)");
}

TEST_CASE("progressive scans are bounded together") {
  // 336 bytes: after the mean, the same scan of details 19 times over 67 million pixels.
  std::vector<Bytes> parts = {start, quantization(), frame(8192, 8192, {Part{}}, 0xC2),
                              shortest_codes(), scan({1}, 0, 0, 0, {})};
  for (int i = 0; i < 19; ++i) parts.push_back(scan({1}, 1, 63, 0, {}));
  parts.push_back(end);
  contains(refusal(joined(parts)), "x: damaged (a scan ends early)");

  // The same with the data of its means, and one scan for each coefficient: 32 blocks of codes end
  // 32767 blocks each. The 32nd scan passes the budget.
  parts[3] = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1}, {0xE0})});
  parts[4] = scan({1}, 0, 0, 0, Bytes((std::size_t{1} << 20) / 8));
  parts.resize(5);
  std::string ends;
  for (int i = 0; i < 33; ++i) ends += "0" + std::string(14, '1');
  for (int k = 1; k <= 32; ++k) parts.push_back(scan({1}, k, k, 0, bits(ends)));
  parts.push_back(end);
  contains(refusal(joined(parts)), "its scans are more than 33554432 blocks together");
}

TEST_CASE("PNG chunks out of order, too long or unknown are refused") {
  const Bytes header = ihdr(1, 1, 8, 2), data = stored({0, 1, 2, 3});
  CHECK(refusal(png(header, {}, data)) == "decoded");
  CHECK(decode_image(png(header, {}, data)).rgb == Bytes{1, 2, 3});
  CHECK(refusal(joined({png(header, {}, data), {1, 2, 3}})) == "decoded");
  const Bytes idat = chunk("IDAT", data), iend = chunk("IEND", {}), text = chunk("tEXt", {'a', 0});
  const auto file = [](const std::vector<Bytes>& chunks) {
    return joined({signature, joined(chunks)});
  };
  contains(refusal(file({header, idat})), "no IEND chunk");
  contains(refusal(file({header, iend})), "no IDAT chunk");
  contains(refusal(file({header, header, idat, iend})), "two IHDR chunks");
  contains(refusal(file({text, header, idat, iend})), "its first chunk is not IHDR");
  contains(refusal(file({chunk("CgBI", {1, 2, 3, 4}), header, idat, iend})), "is not IHDR");
  contains(refusal(file({header, chunk("CgBI", {}), idat, iend})), "not supported: chunk CgBI");
  contains(refusal(file({header, chunk(std::string("\0\0\0\0", 4), {}), idat, iend})),
           "a chunk without a name");
  contains(refusal(file({header, chunk("\x1b[31", {}), idat, iend})), "a chunk without a name");
  contains(refusal(file({header, chunk("IDAT", {0x78, 0x01}), text,
                         chunk("IDAT", Bytes(data.begin() + 2, data.end())), iend})),
           "other chunks among its data");
  CHECK(refusal(file({header, text, chunk("IDAT", {0x78, 0x01}), chunk("IDAT", {}),
                      chunk("IDAT", Bytes(data.begin() + 2, data.end())), text, iend})) ==
        "decoded");
  for (const std::uint8_t high : {0x00, 0x7F, 0x80, 0xFF}) {
    Bytes long_text = text;
    long_text[0] = high;
    long_text[2] = 0xFF;
    contains(refusal(file({header, long_text, idat, iend})), "ends inside a PNG");
  }
  contains(refusal(file({header, Bytes(7), iend})), "x: damaged");
}

TEST_CASE("PNG headers that no PNG has are refused") {
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
    contains(refusal(file(ihdr(1, 1, depth, color))),
             "no PNG has " + std::to_string(depth) + " bits and colour type");
  }
  contains(refusal(file(ihdr(0, 1, 8, 0))), "no pixels");
  contains(refusal(file(ihdr(1, 1, 8, 0, 2))), "interlacing 0, 0, 2");
  contains(refusal(file(ihdr(1, 1, 8, 0, 0, 1))), "interlacing 1, 0, 0");
  contains(refusal(file(ihdr(1, 1, 8, 0, 0, 0, 1))), "interlacing 0, 1, 0");
  contains(refusal(file(chunk("IHDR", Bytes(14)))), "IHDR of 14 bytes");
  // stb_image calls these no PNG at all.
  contains(refusal(file(ihdr(0x80000000u, 1, 8, 0))), "declares 2147483648x1 pixels");
  contains(refusal(file(ihdr(0xFFFFFFFFu, 0xFFFFFFFFu, 8, 0))), "declares 4294967295x4294967295");
  contains(refusal(file(ihdr(1 << 25, 2, 8, 0))), "declares 33554432x2 pixels");
}

TEST_CASE("palettes and transparency stay in their bounds") {
  const auto file = [](const Bytes& before) {
    return png(ihdr(2, 1, 8, 3), before, stored({0, 0, 1}));
  };
  const Bytes two = chunk("PLTE", {9, 8, 7, 6, 5, 4});
  CHECK(decode_image(file(two)).rgb == Bytes{9, 8, 7, 6, 5, 4});
  CHECK(refusal(file(joined({two, chunk("tRNS", {1, 2})}))) == "decoded");
  contains(refusal(file({})), "no palette");
  contains(refusal(file(joined({two, two}))), "two palettes");
  for (const std::size_t n : {0, 5, 769, 771}) {
    contains(refusal(file(chunk("PLTE", Bytes(n)))),
             "a palette of " + std::to_string(n) + " bytes");
  }
  contains(refusal(file(joined({two, chunk("tRNS", {1, 2, 3})}))), "tRNS of 3 bytes");
  contains(refusal(file(joined({two, chunk("tRNS", {})}))), "tRNS of 0 bytes");
  contains(refusal(file(joined({chunk("tRNS", {1}), two}))), "tRNS of 1 bytes");
  contains(refusal(file(joined({two, chunk("tRNS", {1}), chunk("tRNS", {1})}))), "tRNS twice");
  const auto rgb = [](int color, const Bytes& before, const Bytes& after) {
    return png(ihdr(1, 1, 8, color), before, stored(Bytes(5)), after);
  };
  CHECK(refusal(rgb(2, chunk("tRNS", Bytes(6)), {})) == "decoded");
  contains(refusal(rgb(2, chunk("tRNS", Bytes(2)), {})), "tRNS of 2 bytes");
  contains(refusal(rgb(0, chunk("tRNS", Bytes(6)), {})), "tRNS of 6 bytes");
  contains(refusal(rgb(6, chunk("tRNS", Bytes(6)), {})), "tRNS of 6 bytes");
  contains(refusal(rgb(2, {}, chunk("tRNS", Bytes(6)))), "tRNS twice or after the data");
  contains(refusal(rgb(2, {}, two)), "its palette comes too late");
}

TEST_CASE("indices above a short palette are black, not the program's memory") {
  for (const int depth : {1, 2, 4, 8}) {
    const Bytes file =
        png(ihdr(1, 3, depth, 3), chunk("PLTE", {9, 8, 7}), stored({0, 0xFF, 0, 0x00, 0, 0xFF}));
    CHECK(decode_image(file).rgb == Bytes{0, 0, 0, 9, 8, 7, 0, 0, 0});
  }
}

TEST_CASE("PNG data that deflate does not have are refused") {
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
  // A distance of 0 (codes 30, 31) copies bytes that nobody wrote; lengths 286, 287 are 0.
  contains(refusal(fixed([](DeflateBits& b) { b.code(1, 7).code(30, 5); })),
           "a distance that deflate does not have");
  contains(refusal(fixed([](DeflateBits& b) { b.code(1, 7).code(31, 5); })),
           "a distance that deflate does not have");
  contains(refusal(fixed([](DeflateBits& b) { b.code(0xC6, 8).code(0, 5); })),
           "a length that deflate does not have");
  contains(refusal(fixed([](DeflateBits& b) { b.code(1, 7).code(4, 5).put(0, 1); })),
           "its data copy from before their start");
  contains(refusal(file({0x78, 0x01, 0x07})), "a block of no known type");
  contains(refusal(file({0x78, 0x01, 0x01, 4, 0, 4, 0})), "a stored block of no clear length");
  contains(refusal(file({0x78, 0x01, 0x01, 4, 0, 0xFB, 0xFF, 0})), "its data end early");
  contains(refusal(file({0x78, 0x02})), "no zlib stream");
  contains(refusal(file({0x78, 0x20 | 0x1B, 0, 0})), "no zlib stream");
  contains(refusal(file({})), "its data end early");
  contains(refusal(file(stored({0, 1, 2}))), "not enough pixels: 3 of 4 bytes");
  contains(refusal(file(stored({5, 1, 2, 3}))), "x: damaged (invalid filter)");
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
  contains(refusal(dynamic([&](DeflateBits& b) { sizes(b, {1, 1, 1, 0}); })), "too many codes");
  contains(refusal(dynamic([&](DeflateBits& b) { sizes(b, {1, 0, 0, 0}); })), "repeats nothing");
  contains(refusal(dynamic([&](DeflateBits& b) {
             sizes(b, {0, 0, 1, 0});
             for (int i = 0; i < 3; ++i) b.code(0, 1).put(127, 7);  // 414 zeros of 320
           })),
           "a Huffman table too long");
  contains(refusal(dynamic([&](DeflateBits& b) {
             sizes(b, {0, 0, 1, 1});
             for (int i = 0; i < 320; ++i) b.code(0, 1);
           })),
           "a code that its Huffman table does not have");
}

TEST_CASE("a small PNG cannot take large memory or time") {
  // Half a megabyte that unpacks to half a gigabyte: refused by its header.
  contains(refusal(png(ihdr(8192, 8192, 16, 6), {}, Bytes(500000))),
           "x: unpacks to 536879104 bytes; the limit is 268435456");
  contains(refusal(png(ihdr(8192, 8192, 8, 2), {}, Bytes(500000))),
           "unpacks to 201334784; above 67108864 the limit is 256 times the file's size");
  DecodeLimits limits;
  limits.free_unpacked = 1000;
  limits.max_expansion = 4;
  const Bytes flat = encode_png(Image{32, 32, Bytes(32 * 32 * 3)});
  contains(refusal(flat, limits), "unpacks to 3104; above 1000 the limit is 4 times");
  limits.max_expansion = 100;
  CHECK(refusal(flat, limits) == "decoded");

  // A few bytes too many are let pass, as some writers leave them; not more.
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
  contains(refusal(behind(70000)), "its data unpack to more than its pixels");

  // 3000 empty blocks: each makes the decoder build its tables, and adds nothing.
  DeflateBits bits;
  for (int i = 0; i < 3000; ++i) bits.put(0, 1).put(1, 2).code(0, 7);
  bits.put(1, 1).put(1, 2);
  for (int i = 0; i < 4; ++i) bits.code(0x30, 8);
  bits.code(0, 7);
  append(bits.bytes, Bytes(8));
  contains(refusal(png(ihdr(1, 1, 8, 2), {}, bits.bytes)), "its data are empty blocks");
}

TEST_CASE("only PNG and JPEG reach the decoder; other formats are refused by name") {
  // GIF: CVE-2023-45661, -45662, -45664, -45666, -45667; HDR: CVE-2021-42715, CVE-2023-45663;
  // PNM: CVE-2021-42716. A TGA (CVE-2023-45663) has no name to know it by.
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

TEST_CASE("an error says its own reason, not that of the image before") {
  contains(refusal(png(ihdr(1, 1, 8, 2), {}, stored({5, 1, 2, 3}))), "(invalid filter)");
  contains(refusal(png(ihdr(1, 1, 8, 2), {}, {0x78, 0x01, 0x07})),
           "(its data have a block of no known type)");
}
