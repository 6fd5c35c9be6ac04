// SPDX-License-Identifier: MIT
// Checks all markers of a JPEG before a decoder sees them (ITU-T T.81, B): lengths,
// tables, frame, every scan's header and data, and the total work of all scans.
// Arithmetic, lossless and hierarchical coding, which stb_image cannot read, are refused by name.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gaze/image/hostile_file.hpp"
#include "gaze/image/inspect_jpeg_scan.hpp"
#include "gaze/image/jpeg_frame.hpp"

namespace gaze::image::detail {

/// Limit on the blocks of all scans; an empty scan needs two bytes per 32767 blocks. The usual ten
/// scans of the largest RGB picture have 14 million, of the largest CMYK picture 24 million; one
/// million blocks without such runs take about 50 ms.
inline constexpr std::int64_t kMaxJpegBlocks = std::int64_t{1} << 25;

/// Limit on the codes of a Huffman table. T.81 uses 176; stb_image misreads the 256th.
inline constexpr std::size_t kMaxJpegCodes = 255;

/// The unsupported kind of JPEG that a marker declares, if any.
inline const char* unreadable_jpeg(int marker) {
  switch (marker) {
    case 0xC3:
      return "a lossless JPEG";
    case 0xC5:
    case 0xC6:
    case 0xC7:
    case 0xCD:
    case 0xCE:
    case 0xCF:
    case 0xDE:
    case 0xDF:
      return "a hierarchical JPEG";
    case 0xC9:
    case 0xCA:
    case 0xCB:
    case 0xCC:
      return "a JPEG with arithmetic coding";
    case 0xF7:
    case 0xF8:
      return "a JPEG-LS";
    default:
      return nullptr;
  }
}

class JpegInspector {
 public:
  explicit JpegInspector(const HostileFile& file) : file_(file) {}

  /// The returned frame has width and height.
  const JpegFrame& inspect() {
    at_ = 2;  // after SOI
    for (int m = marker(); m != 0xD9; m = marker()) {
      if (m < 0xC0 || (m >= 0xD0 && m <= 0xD8)) file_.damaged("a marker ", m, " out of place");
      const auto part = segment();
      HostileReader in(file_, part, "a segment of a JPEG");
      if (m == 0xDA) {
        scan(in);
      } else {
        table_or_frame(m, in);
      }
    }
    if (frame_.components.empty()) file_.damaged("no frame");
    for (const JpegComponent& c : frame_.components) {
      if (c.sent[0] == JpegComponent::not_sent) file_.damaged("component ", c.id, " has no data");
    }
    return frame_;
  }

 private:
  /// The next marker. Any number of 0xFF bytes may precede it; before the frame some writers also
  /// pad with other bytes.
  int marker() {
    const auto bytes = file_.bytes;
    const auto more = [&] { return at_ < bytes.size(); };
    while (padded_ && more() && bytes[at_] != 0xFF) ++at_;
    if (more() && bytes[at_] != 0xFF) file_.damaged("a missing marker");
    while (more() && bytes[at_] == 0xFF) ++at_;
    if (!more()) file_.damaged("no EOI marker");
    return bytes[at_++];
  }

  /// The bytes after a marker, without the length.
  std::span<const std::uint8_t> segment() {
    HostileReader in(file_, file_.bytes.subspan(at_), "a segment of a JPEG");
    const int length = in.u16();
    if (length < 2) file_.damaged("a segment of length ", length);
    const auto part = in.take(static_cast<std::size_t>(length) - 2);
    at_ += static_cast<std::size_t>(length);
    return part;
  }

  void table_or_frame(int marker, HostileReader& in) {
    padded_ = frame_.components.empty();
    if (marker == 0xC4) return huffman_tables(in);
    if (marker == 0xDB) return quantization_tables(in);
    if (marker == 0xDC) return number_of_lines(in);
    if (marker == 0xDD) {
      if (in.left() != 2) file_.damaged("a restart interval of ", in.left(), " bytes");
      tables_.restart_interval = in.u16();
    } else if (marker >= 0xC0 && marker <= 0xC2) {
      padded_ = false;
      frame(marker == 0xC2, in);
    } else if (unreadable_jpeg(marker) != nullptr) {
      file_.unsupported(unreadable_jpeg(marker));
    } else if ((marker < 0xE0 || marker > 0xEF) && marker != 0xFE) {  // neither APPn nor COM
      file_.damaged("an unknown marker ", marker);
    }
  }

  void quantization_tables(HostileReader& in) {
    while (in.left() > 0) {
      const int head = in.u8();
      if (head > 0x1F || head % 16 > 3) file_.damaged("a quantisation table ", head);
      in.take(head < 16 ? 64 : 128);
      tables_.quantization[static_cast<std::size_t>(head % 16)] = true;
    }
  }

  void huffman_tables(HostileReader& in) {
    while (in.left() > 0) {
      const int head = in.u8();
      if (head > 0x1F || head % 16 > 3) file_.damaged("a Huffman table ", head);
      const bool dc = head < 16;
      std::array<std::uint16_t, 16> counts{};
      std::array<std::uint16_t, kMaxJpegCodes> symbols{};
      std::size_t total = 0;
      for (auto& count : counts) total += count = static_cast<std::uint16_t>(in.u8());
      if (total > kMaxJpegCodes) file_.damaged("a Huffman table of ", total, " codes");
      for (std::size_t i = 0; i < total; ++i) {
        symbols[i] = static_cast<std::uint16_t>(in.u8());
        if (dc && symbols[i] > 15) file_.damaged("a Huffman table with differences too large");
      }
      auto& table = (dc ? tables_.dc : tables_.ac)[static_cast<std::size_t>(head % 16)];
      if (!table.define(counts, std::span(symbols).first(total))) {
        file_.damaged("a Huffman table with too many codes");
      }
    }
  }

  void number_of_lines(HostileReader& in) {
    if (frame_.components.empty() || in.left() != 2 || in.u16() != frame_.height) {
      file_.damaged("an inconsistent number of lines");
    }
  }

  void frame(bool progressive, HostileReader& in) {
    if (!frame_.components.empty()) file_.damaged("two frames");
    const int bits = in.u8();
    if (bits != 8) file_.unsupported("a JPEG of ", bits, " bits");
    frame_.progressive = progressive;
    frame_.height = in.u16();
    frame_.width = in.u16();
    if (frame_.width == 0) file_.damaged("no pixels");
    if (frame_.height == 0) file_.unsupported("a JPEG that declares its height after its data");
    file_.check_size(frame_.width, frame_.height);
    const int count = in.u8();
    if (count != 1 && count != 3 && count != 4) {
      file_.unsupported("a JPEG of ", count, " components");
    }
    for (int i = 0; i < count; ++i) component(in);
    if (in.left() != 0) file_.damaged("a frame that is too long");
    lay_out();
  }

  void component(HostileReader& in) {
    JpegComponent c;
    c.id = in.u8();
    const int sampling = in.u8();
    c.h = sampling / 16;
    c.v = sampling % 16;
    c.quantization = in.u8();
    c.sent.fill(JpegComponent::not_sent);
    if (c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4) file_.damaged("sampling ", c.h, "x", c.v);
    if (c.quantization > 3) file_.damaged("quantisation table ", c.quantization);
    if (find(c.id) != nullptr) file_.damaged("two components ", c.id);
    frame_.components.push_back(c);
  }

  JpegComponent* find(int id) {
    for (JpegComponent& c : frame_.components) {
      if (c.id == id) return &c;
    }
    return nullptr;
  }

  /// Blocks of each component. stb_image upsamples by whole factors only; others overrun its lines.
  void lay_out() {
    int h = 1, v = 1;
    for (const auto& c : frame_.components) h = std::max(h, c.h), v = std::max(v, c.v);
    const auto parts = [](int all, int size) { return (all + size - 1) / size; };
    frame_.mcus_wide = parts(frame_.width, 8 * h);
    frame_.mcus_high = parts(frame_.height, 8 * v);
    std::int64_t blocks = 0;
    for (auto& c : frame_.components) {
      if (h % c.h != 0 || v % c.v != 0) {
        file_.unsupported("a JPEG with sampling ", c.h, "x", c.v, " of ", h, "x", v);
      }
      c.blocks_wide = parts(parts(frame_.width * c.h, h), 8);
      c.blocks_high = parts(parts(frame_.height * c.v, v), 8);
      blocks += std::int64_t{frame_.mcus_wide} * frame_.mcus_high * c.h * c.v;
    }
    file_.check_unpacked(64 * blocks * (frame_.progressive ? 3 : 1));
  }

  void scan(HostileReader& in) {
    if (frame_.components.empty()) file_.damaged("a scan before the frame");
    const int count = in.u8();
    if (count < 1 || count > static_cast<int>(frame_.components.size())) {
      file_.damaged("a scan of ", count, " components");
    }
    JpegScan scan;
    for (int i = 0; i < count; ++i) {
      JpegComponent* component = find(in.u8());
      const int tables = in.u8();
      if (component == nullptr) file_.damaged("a scan of a component missing from the frame");
      if (tables / 16 > 3 || tables % 16 > 3) file_.damaged("a scan with a Huffman table above 3");
      for (const auto& part : scan.parts) {
        if (part.component == component) file_.damaged("a scan with a repeated component");
      }
      scan.parts.push_back({component, tables / 16, tables % 16});
    }
    scan.first = in.u8();
    scan.last = in.u8();
    const int bits = in.u8();
    scan.high = bits / 16;
    scan.low = bits % 16;
    if (in.left() != 0) file_.damaged("a scan header that is too long");
    check_band(scan);
    check_tables(scan);
    note_sent(scan);
    count_blocks(scan);
    at_ = JpegScanInspector(file_, frame_, tables_, scan, at_).inspect();
    skip_rest_of_scan();
  }

  void check_band(const JpegScan& s) const {
    if (!frame_.progressive) {
      if (s.first != 0 || s.high != 0 || s.low != 0)
        file_.damaged("a baseline scan of a coefficient range");
      return;
    }
    const bool bits = s.low <= 13 && (s.high == 0 || s.high == s.low + 1);
    const bool band = s.first == 0 ? s.last == 0 : s.last <= 63 && s.first <= s.last;
    const bool alone = s.first == 0 || s.parts.size() == 1;
    if (!bits || !band || !alone) {
      file_.damaged("a scan of ", s.parts.size(), " components, coefficients ", s.first, " to ",
                    s.last, ", bits ", s.high, " to ", s.low);
    }
  }

  void check_tables(const JpegScan& s) const {
    for (const auto& part : s.parts) {
      const auto defined = [](const auto& tables, int i) {
        return tables[static_cast<std::size_t>(i)].defined();
      };
      const bool dc = s.first == 0 && s.high == 0, ac = !frame_.progressive || s.first > 0;
      if ((dc && !defined(tables_.dc, part.dc)) || (ac && !defined(tables_.ac, part.ac))) {
        file_.damaged("a scan without its Huffman table");
      }
      if (!tables_.quantization[static_cast<std::size_t>(part.component->quantization)]) {
        file_.damaged("a scan without its quantisation table");
      }
    }
  }

  /// Requires every bit of every coefficient once, highest first, and DC (coefficient 0)
  /// before AC, which bounds the number of scans.
  void note_sent(const JpegScan& s) {
    for (const auto& part : s.parts) {
      auto& sent = part.component->sent;
      if (s.first > 0 && sent[0] == JpegComponent::not_sent) {
        file_.damaged("an AC scan before the DC scan");
      }
      for (int k = s.first; k <= (frame_.progressive ? s.last : 0); ++k) {
        auto& bit = sent[static_cast<std::size_t>(k)];
        const int expected = s.high == 0 ? int{JpegComponent::not_sent} : s.high;
        if (bit != expected) file_.damaged("a repeated or missing scan");
        bit = static_cast<std::int8_t>(s.low);
      }
    }
  }

  void count_blocks(JpegScan& s) {
    for (auto& part : s.parts) {
      JpegComponent& c = *part.component;
      const std::int64_t units = std::int64_t{frame_.mcus_wide} * frame_.mcus_high * c.h * c.v;
      blocks_ += units;
      if (blocks_ > kMaxJpegBlocks) {
        file_.damaged("its scans have more than ", kMaxJpegBlocks, " blocks in total");
      }
      if (s.first > 0 && c.nonzero.empty()) {
        c.nonzero.resize(static_cast<std::size_t>(c.blocks_wide) *
                         static_cast<std::size_t>(c.blocks_high));
      }
    }
  }

  /// Some writers leave bytes between a scan's data and the next marker.
  void skip_rest_of_scan() {
    const auto bytes = file_.bytes;
    while (at_ + 1 < bytes.size()) {
      if (bytes[at_] != 0xFF || bytes[at_ + 1] == 0) {
        ++at_;
      } else if (bytes[at_ + 1] == 0xFF) {
        ++at_;  // a fill byte
      } else if (bytes[at_ + 1] / 8 == 0x1A) {
        file_.damaged("a restart marker where none is due");
      } else {
        return;
      }
    }
    file_.damaged("no EOI marker");
  }

  const HostileFile& file_;
  std::size_t at_ = 0;
  bool padded_ = false;  // other bytes may precede the next marker
  JpegFrame frame_;
  JpegTables tables_;
  std::int64_t blocks_ = 0;
};

}  // namespace gaze::image::detail
