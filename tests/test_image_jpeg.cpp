// SPDX-License-Identifier: MIT
// Malicious JPEGs that make stb_image 2.27 overrun buffers, or use too much time or memory. Each is
// built from the smallest JPEG that decodes. Cases name the CVE number of public reports.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/hostile_image.hpp"

namespace test_image_jpeg {

using namespace hostile;

namespace {

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

/// A scan's bits as bytes: padded with ones, a zero after every 0xFF.
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

}  // namespace

TEST_CASE("the smallest JPEG decodes, and equivalent encodings give the same pixels") {
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

TEST_CASE("restart markers are accepted where due and nowhere else") {
  const auto file = [](int interval, const Bytes& data) {
    return joined({start, quantization(), frame(24, 8), shortest_codes(),
                   segment(0xDD, {0, static_cast<std::uint8_t>(interval)}), scan(data), end});
  };
  CHECK(refusal(file(0, {0x03})) == "decoded");
  CHECK(refusal(file(1, {0x3F, 0xFF, 0xD0, 0x3F, 0xFF, 0xFF, 0xD1, 0x3F})) == "decoded");
  CHECK(refusal(file(2, {0x0F, 0xFF, 0xD0, 0x3F})) == "decoded");
  check_says(refusal(file(1, {0x3F, 0xFF, 0xD0, 0x3F, 0x3F})), "a restart marker is missing");
  check_says(refusal(file(0, {0x03, 0xFF, 0xD0})), "a restart marker where none is due");
  check_says(refusal(file(2, {0x0F, 0xFF, 0xD0, 0x3F, 0xFF, 0xD1})), "where none is due");
  check_says(refusal(file(1, {0x3F, 0xFF, 0xD0, 0xFF, 0xD1, 0x3F})), "a scan ends early");
}

TEST_CASE("JPEG Huffman tables never overrun the decoder's (CVE-2022-28042, CVE-2021-28021)") {
  // Nine bytes: counts of 255 and 3 codes of one bit, then nothing.
  check_says(refusal({0xFF, 0xD8, 0xFF, 0xC4, 0xFF, 0x03, 0x01, 0xFF, 0x03}),
             "x: damaged (ends inside");
  const auto with = [](const Bytes& table) {
    return joined({start, quantization(), frame(8, 8), shortest_codes(), table, scan(), end});
  };
  Bytes all(16, 255);
  check_says(refusal(with(huffman(0x10, all, Bytes(16 * 255)))), "a Huffman table of 4080 codes");
  Bytes counts(16);
  counts[14] = 129;
  counts[15] = 128;
  check_says(refusal(with(huffman(0x00, counts, Bytes(257)))), "a Huffman table of 257 codes");
  counts = {0, 0, 0, 0, 0, 0, 0, 255, 1};
  check_says(refusal(with(huffman(0x10, counts, Bytes(256)))), "a Huffman table of 256 codes");
  check_says(refusal(with(huffman(0x10, {3}, {1, 2, 3}))), "too many codes");
  check_says(refusal(with(huffman(0x10, {2, 1}, {1, 2, 3}))), "too many codes");
  check_says(refusal(with(huffman(0x04, {1}, {0}))), "a Huffman table 4");
  check_says(refusal(with(huffman(0x20, {1}, {0}))), "a Huffman table 32");
  check_says(refusal(with(huffman(0x00, {1}, {16}))), "differences too large");
  check_says(refusal(with(huffman(0x00, {2}, {0}))), "ends inside a segment");
  CHECK(refusal(with(huffman(0x13, {2}, {1, 2}))) == "decoded");
}

TEST_CASE("a JPEG scan without its tables is refused") {
  // stb_image 2.27 reads uninitialised tables, and beyond them.
  const Bytes q = quantization(), f = frame(8, 8);
  const Bytes dc = huffman(0x00, {1}, {0}), ac = huffman(0x10, {1}, {0});
  check_says(refusal(joined({start, q, f, ac, scan(), end})), "without its Huffman table");
  check_says(refusal(joined({start, q, f, dc, scan(), end})), "without its Huffman table");
  check_says(refusal(joined({start, quantization(1), f, dc, ac, scan(), end})),
             "without its quantisation table");
  const Bytes p = frame(8, 8, {Part{}}, 0xC2), mean = scan({1}, 0, 0, 0, {0x7F});
  CHECK(refusal(joined({start, q, p, dc, mean, end})) == "decoded");
  check_says(refusal(joined({start, q, p, ac, mean, end})), "without its Huffman table");
  check_says(refusal(joined({start, q, p, dc, mean, scan({1}, 1, 63, 0, {0x7F}), end})),
             "without its Huffman table");
  check_says(refusal(joined({start, quantization(4), f, dc, ac, scan(), end})),
             "quantisation table");
  check_says(refusal(joined({start, quantization(0x20), f, dc, ac, scan(), end})),
             "quantisation table");
}

TEST_CASE("JPEG frames that the decoder cannot hold are refused (CVE-2021-37789)") {
  const auto file = [](const Bytes& frame_segment) {
    return joined({start, quantization(), frame_segment, shortest_codes(), scan(), end});
  };
  check_says(refusal(file(frame(8, 8, {{1, 0x31}, {2, 0x21}, {3, 0x11}}))), "sampling 2x1 of 3x1");
  check_says(refusal(file(frame(8, 8, {{1, 0x14}, {2, 0x13}, {3, 0x11}}))), "sampling 1x3 of 1x4");
  check_says(refusal(file(frame(8, 8, {{1, 0x01}}))), "sampling 0x1");
  check_says(refusal(file(frame(8, 8, {{1, 0x15}}))), "sampling 1x5");
  check_says(refusal(file(frame(8, 8, {{1, 0x11, 4}}))), "quantisation table 4");
  check_says(refusal(file(frame(8, 8, {{1}, {2}}))), "a JPEG of 2 components");
  check_says(refusal(file(frame(8, 8, {{1}, {1}, {3}}))), "two components 1");
  check_says(refusal(file(frame(0, 8))), "no pixels");
  check_says(refusal(file(frame(8, 0))), "says its height after its data");
  check_says(refusal(file(frame(8, 8, {Part{}}, 0xC0, 12))), "a JPEG of 12 bits");
  check_says(refusal(file(joined({frame(8, 8), frame(8, 8)}))), "two frames");
  check_says(refusal(file(segment(0xC0, {8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0}))), "too long");
  check_says(refusal(file(segment(0xC0, {8, 0, 8, 0, 8, 1, 1, 0x11}))), "ends inside");
  check_says(refusal(file(frame(20000, 1))),
             "declares 20000x1 pixels; the limits are 16384 per side");
  check_says(refusal(file(frame(16384, 16384))), "declares 16384x16384 pixels");
}

TEST_CASE("JPEG scans that the frame does not allow are refused") {
  const Bytes head =
      joined({start, quantization(), frame(8, 8, {{1}, {2}, {3}}), shortest_codes()});
  const auto file = [&](const Bytes& scans) { return joined({head, scans, end}); };
  const Bytes all = scan({1, 2, 3}, 0, 63, 0, {0x03});
  CHECK(refusal(file(all)) == "decoded");
  CHECK(refusal(file(joined({scan({2}, 0, 63, 0, {0x3F}), scan({3, 1}, 0, 63, 0, {0x0F})}))) ==
        "decoded");
  check_says(refusal(file(scan({}, 0, 63, 0, {}))), "a scan of 0 components");
  check_says(refusal(file(scan({1, 2, 3, 4}, 0, 63, 0, {}))), "a scan of 4 components");
  check_says(refusal(file(scan({4}, 0, 63, 0, {}))), "a component that the frame does not have");
  check_says(refusal(file(scan({1, 1}, 0, 63, 0, {}))), "a component twice");
  check_says(refusal(file(joined({all, all}))), "repeats or leaves out");
  check_says(refusal(file(scan({1, 2}, 0, 63, 0, {0x0F}))), "component 3 has no data");
  check_says(refusal(file({})), "component 1 has no data");
  check_says(refusal(file(scan({1}, 1, 63, 0, {}))), "a scan of some coefficients");
  check_says(refusal(file(scan({1}, 0, 63, 1, {}))), "a scan of some coefficients");
  check_says(refusal(file(segment(0xDA, {1, 1, 0x40, 0, 63, 0}))), "a Huffman table above 3");
  check_says(refusal(file(segment(0xDA, {1, 1, 0, 0, 63, 0, 0}))), "too long");
  check_says(refusal(file(segment(0xDA, {3, 1, 0, 2, 0}))), "ends inside");
  check_says(refusal(joined({start, quantization(), shortest_codes(), all, end})),
             "before the frame");
  check_says(refusal(joined({start, end})), "no frame");
  check_says(refusal(joined({head, all})), "no EOI marker");
  check_says(refusal(joined({head, all, start, end})), "out of place");
  check_says(refusal(joined({head, all, {0xFF, 0x01}, end})), "out of place");
  check_says(refusal(joined({head, all, segment(0xDC, {0, 9}), end})), "another number of lines");
}

TEST_CASE("progressive JPEGs must send every bit once, the mean first") {
  const Bytes t = shortest_codes(), mean = scan({1}, 0, 0, 0, {0x7F});
  const auto file = [&](const Bytes& scans) { return progressive(t, scans); };
  check_says(refusal(file(joined({mean, mean}))), "repeats or leaves out");
  check_says(refusal(file(scan({1}, 0, 0, 0x10, {0x7F}))), "repeats or leaves out");
  check_says(refusal(file(joined({scan({1}, 0, 0, 2, {0x7F}), scan({1}, 0, 0, 0x10, {0x7F})}))),
             "repeats or leaves out");
  check_says(refusal(file(joined({scan({1}, 1, 63, 0, {0x7F}), mean}))), "details before the mean");
  const Bytes details = scan({1}, 1, 63, 0, {0x7F});
  check_says(refusal(file(joined({mean, details, details}))), "repeats or leaves out");
  for (const auto& [first, last, bits] :
       {std::array{0, 1, 0}, {1, 64, 0}, {64, 64, 0}, {5, 4, 0}, {1, 63, 0x0E}, {1, 63, 0x20}}) {
    check_says(refusal(file(joined({mean, scan({1}, first, last, bits, {0x7F})}))),
               "a scan of 1 components, coefficients");
  }
  const Bytes colour =
      joined({start, quantization(), frame(8, 8, {{1}, {2}, {3}}, 0xC2), t,
              scan({1, 2, 3}, 0, 0, 0, {0x1F}), scan({1, 2}, 1, 5, 0, {0x3F}), end});
  check_says(refusal(colour), "a scan of 2 components, coefficients 1 to 5");
}

TEST_CASE("JPEG scans that end early are refused (CVE-2022-28048)") {
  const Bytes tables = joined({huffman(0x00, {1}, {15}), huffman(0x10, {1}, {0x0F})});
  const auto file = [&](const Bytes& data) {
    return joined({start, quantization(), frame(8, 8), tables, scan(data), end});
  };
  check_says(refusal(file({0x3F})), "a scan ends early");
  check_says(refusal(file({0x7F, 0xFF, 0, 0x00})), "a scan ends early");
  check_says(refusal(file({0x80, 0, 0, 0})), "a code that its Huffman table does not have");
  check_says(refusal(joined({start, quantization(), frame(8, 8), tables, scan({0x3F})})),
             "ends inside a scan");
  // After a code of 9 bits, 7 bits are left of 15: stb_image 2.27 continues with -8 bits, and
  // shifts by 32.
  const Bytes nine =
      joined({huffman(0x00, {1}, {15}), huffman(0x10, {0, 0, 0, 0, 0, 0, 0, 0, 1}, {0x0F})});
  const Bytes data = {0x2A, 0xAA, 0x00, 0x2A};
  check_says(refusal(joined({start, quantization(), frame(8, 8), nine, scan(data), end})),
             "a scan ends early");
  // The same after sixteen zeros, whose code is of 16 bits.
  const Bytes both =
      joined({huffman(0x00, {1}, {0}),
              huffman(0x10, {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1}, {0x0F, 0xF0})});
  check_says(refusal(progressive(both, joined({scan({1}, 0, 0, 0, {0x7F}),
                                               scan({1}, 1, 63, 0, {0x00, 0x80, 0x00, 0x2A})}))),
             "a scan ends early");
}

TEST_CASE("JPEG values that overflow are refused (CVE-2022-28041)") {
  // The mean of each block is 32767 more than that of the block before: 0, then fifteen 1.
  const Bytes tables = joined({huffman(0x00, {1}, {15}), huffman(0x10, {1}, {0})});
  const std::string most = "0" + std::string(15, '1');
  const auto means = [&](int width, int height, int bits_sent, const std::string& data) {
    const bool whole = bits_sent < 0;
    return joined({start, quantization(), frame(width, height, {Part{}}, whole ? 0xC0 : 0xC2),
                   tables, whole ? scan(bits(data)) : scan({1}, 0, 0, bits_sent, bits(data)), end});
  };
  CHECK(refusal(means(8, 8, -1, most + "0")) == "decoded");
  check_says(refusal(means(16, 8, -1, most + "0" + most + "0")), "a mean brightness out of range");
  check_says(refusal(means(16, 8, 13, most + most)), "a mean brightness out of range");
  std::string all;  // of 256 x 257 blocks: the sum passes 2^31
  for (int i = 0; i < 256 * 257; ++i) all += most;
  check_says(refusal(means(256 * 8, 257 * 8, 0, all)), "a mean brightness out of range");
  // A coefficient of 15 bits, shifted by 13.
  const Bytes large = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1}, {0x0F})});
  const Bytes mean = scan({1}, 0, 0, 0, {0x7F});
  check_says(refusal(progressive(large, joined({mean, scan({1}, 1, 63, 13, bits(most))}))),
             "a coefficient too large");
  // Two bits of a coefficient in a scan that adds one.
  const Bytes two = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1, 1}, {0, 0x02})});
  check_says(refusal(progressive(
                 two, joined({mean, scan({1}, 1, 63, 1, {0x7F}), scan({1}, 1, 63, 0x10, {0xBF})}))),
             "a new coefficient of more than one bit");
}

TEST_CASE("a refining scan needs one bit for each coefficient that scans before it sent") {
  // AC codes: 0: the end; 10: a number of one bit. Twelve numbers; the next scan refines them and
  // adds another; the last refines thirteen.
  const Bytes tables = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1, 1}, {0x00, 0x01})});
  std::string twelve;
  for (int i = 0; i < 12; ++i) twelve += i % 2 == 0 ? "101" : "100";
  const std::string more = "101" + std::string(12, '0') + "0";
  const auto file = [&](const std::string& second, const std::string& third) {
    return progressive(
        tables,
        joined({scan({1}, 0, 0, 0, {0x7F}), scan({1}, 1, 63, 0x02, bits(twelve + "0")),
                scan({1}, 1, 63, 0x21, bits(second)), scan({1}, 1, 63, 0x10, bits(third))}));
  };
  CHECK(refusal(file(more, "0" + std::string(13, '1'))) == "decoded");
  check_says(refusal(file("0" + std::string(7, '0'), "0" + std::string(13, '1'))), "ends early");
  check_says(refusal(file(more, "0" + std::string(7, '1'))), "a scan ends early");
  // A run of 15 zeros and one more passes the numbers, then the band's end.
  const Bytes zeros = joined({huffman(0x00, {1}, {0}), huffman(0x10, {1, 1, 1}, {0, 1, 0xF0})});
  CHECK(refusal(progressive(
            zeros, joined({scan({1}, 0, 0, 0, {0x7F}), scan({1}, 1, 20, 0x01, bits("1101010")),
                           scan({1}, 1, 20, 0x10, bits("11001"))}))) == "decoded");
}

TEST_CASE("unsupported kinds of JPEG are refused by name") {
  const auto file = [](int marker) {
    return joined(
        {start, quantization(), frame(8, 8, {Part{}}, marker), shortest_codes(), scan(), end});
  };
  check_says(refusal(file(0xC3)), "x: not supported: a lossless JPEG");
  for (const int m : {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE, 0xDF}) {
    check_says(refusal(file(m)), "x: not supported: a hierarchical JPEG");
  }
  for (const int m : {0xC9, 0xCA, 0xCB, 0xCC}) {
    check_says(refusal(file(m)), "x: not supported: a JPEG with arithmetic coding");
  }
  check_says(refusal(file(0xF7)), "x: not supported: a JPEG-LS");
  check_says(refusal(file(0xC8)), "x: damaged (an unknown marker 200)");
}

TEST_CASE("progressive JPEGs count their coefficients as memory") {
  const auto file = [](int width, int height, int marker) {
    const std::vector<Part> parts = {{1}, {2}, {3}};
    return joined({start, quantization(), frame(width, height, parts, marker), end});
  };
  check_says(refusal(file(8192, 8192, 0xC2)), "unpacks to 603979776 bytes; the limit is 268435456");
  check_says(refusal(file(8192, 8192, 0xC0)), "unpacks to 201326592; above 67108864");
  check_says(refusal(file(4096, 4096, 0xC0)), "component 1 has no data");
}

TEST_CASE("progressive scans are bounded together") {
  // 336 bytes: after the mean, the same scan of details 19 times over 67 million pixels.
  const auto endless = [](int side) {
    std::vector<Bytes> parts = {start, quantization(), frame(side, side, {Part{}}, 0xC2),
                                shortest_codes(), scan({1}, 0, 0, 0, {})};
    for (int i = 0; i < 19; ++i) parts.push_back(scan({1}, 1, 63, 0, {}));
    parts.push_back(end);
    return joined(parts);
  };
  check_says(refusal(endless(8192)), "unpacks to 201326592; above 67108864");
  check_says(refusal(endless(4096)), "x: damaged (a scan ends early)");

  // The data of all means, then three scans of each coefficient; in each, 9 codes end 32767 blocks.
  // The 128th scan passes the budget.
  std::vector<Bytes> parts = {start,
                              quantization(),
                              frame(4096, 4096, {Part{}}, 0xC2),
                              huffman(0x00, {1}, {0}),
                              huffman(0x10, {1}, {0xE0}),
                              scan({1}, 0, 0, 0, Bytes(512 * 512 / 8))};
  std::string ends;
  for (int i = 0; i < 9; ++i) ends += "0" + std::string(14, '1');
  for (int k = 1; k < 64; ++k) {
    for (const int sent : {0x02, 0x21, 0x10}) parts.push_back(scan({1}, k, k, sent, bits(ends)));
  }
  parts.push_back(end);
  check_says(refusal(joined(parts)), "its scans are more than 33554432 blocks together");
}

}  // namespace test_image_jpeg
