// SPDX-License-Identifier: MIT
// Checks a JPEG scan's entropy-coded data, read code by code as in the decoder (ITU-T T.81, F.2 and
// G.2): every code is in its table, no scan needs more bits than it has, coefficients fit 16 bits.
// If a scan ends early, stb_image 2.27 shifts by negative counts and overflows signed sums
// (CVE-2022-28041, CVE-2022-28048).
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "gaze/image/hostile_file.hpp"
#include "gaze/image/jpeg_frame.hpp"

namespace gaze::image::detail {

/// The bits of a scan, highest of each byte first. A byte 0xFF is followed by a zero; otherwise
/// it starts a marker, and the bits have ended.
class JpegBits {
 public:
  JpegBits(const HostileFile& file, std::size_t at) : file_(file), at_(at) {}

  /// Position of the first unread byte.
  std::size_t at() const { return at_; }

  int bit() {
    if (count_ == 0) load();
    return byte_ >> --count_ & 1;
  }
  int bits(int count) {  // of 0 to 16
    int value = 0;
    for (int i = 0; i < count; ++i) value = 2 * value + bit();
    return value;
  }

  /// Drops the rest of a byte and reads a restart marker; false if there is none.
  bool restart() {
    count_ = 0;
    std::size_t next = at_;
    while (next < file_.bytes.size() && file_.bytes[next] == 0xFF) ++next;
    const bool marker = next > at_ && next < file_.bytes.size() && file_.bytes[next] / 8 == 0x1A;
    if (marker) at_ = next + 1;
    return marker;
  }

 private:
  void load() {
    if (at_ >= file_.bytes.size()) file_.damaged("ends inside a scan");
    byte_ = file_.bytes[at_++];
    count_ = 8;
    if (byte_ != 0xFF) return;
    while (at_ < file_.bytes.size() && file_.bytes[at_] == 0xFF) ++at_;
    if (at_ >= file_.bytes.size() || file_.bytes[at_++] != 0) file_.damaged("a scan ends early");
  }

  const HostileFile& file_;
  std::size_t at_;
  int byte_ = 0, count_ = 0;
};

class JpegScanInspector {
 public:
  JpegScanInspector(const HostileFile& file, const JpegFrame& frame, const JpegTables& tables,
                    const JpegScan& scan, std::size_t at)
      : file_(file), frame_(frame), tables_(tables), scan_(scan), bits_(file, at) {}

  /// Reads the whole scan; returns its end position.
  std::size_t inspect() {
    const bool alone = scan_.parts.size() == 1;
    const JpegComponent& only = *scan_.parts.front().component;
    const std::int64_t wide = alone ? only.blocks_wide : frame_.mcus_wide;
    const std::int64_t units = wide * (alone ? only.blocks_high : frame_.mcus_high);
    const int interval = tables_.restart_interval;
    for (std::int64_t unit = 0; unit < units; ++unit) {
      alone ? block(0, static_cast<std::size_t>(unit)) : interleaved_unit();
      if (interval == 0 || (unit + 1) % interval != 0) continue;
      if (!bits_.restart() && unit + 1 < units) file_.damaged("a restart marker is missing");
      predicted_ = {};
      ended_blocks_ = 0;
    }
    return bits_.at();
  }

 private:
  /// One MCU. Only whole blocks or first coefficients are interleaved; neither needs the block's
  /// position.
  void interleaved_unit() {
    for (std::size_t part = 0; part < scan_.parts.size(); ++part) {
      const JpegComponent& c = *scan_.parts[part].component;
      for (int i = 0; i < c.h * c.v; ++i) block(part, 0);
    }
  }

  void block(std::size_t part, std::size_t place) {
    const auto& [component, dc, ac] = scan_.parts[part];
    const PrefixCode& ac_code = tables_.ac[static_cast<std::size_t>(ac)];
    if (scan_.first > 0) {
      std::uint64_t& nonzero = component->nonzero[place];
      return scan_.high == 0 ? first_bits(ac_code, nonzero) : next_bits(ac_code, nonzero);
    }
    if (scan_.high > 0) {
      bits_.bit();
      return;
    }
    dc_value(part, tables_.dc[static_cast<std::size_t>(dc)]);
    if (!frame_.progressive) ac_values(ac_code);
  }

  int symbol(const PrefixCode& code) {
    const int found = code.read(bits_);
    if (found < 0) file_.damaged("a code missing from its Huffman table");
    return found;
  }

  /// A number of `size` bits; a leading 0 means negative.
  int number(int size) {
    const int value = bits_.bits(size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  /// The difference from the previous block. 32767 times a 16-bit divisor still fits 32 bits.
  void dc_value(std::size_t part, const PrefixCode& code) {
    const int size = symbol(code);
    if (size == 0) return;
    predicted_[part] += number(size);
    if (std::abs(predicted_[part]) > 32767) file_.damaged("a DC coefficient out of range");
  }

  /// Runs of zeros (high 4 bits) before a number (low 4 bits); 15 without a number: 16 zeros; any
  /// other run without a number: the end.
  void ac_values(const PrefixCode& code) {
    for (int k = 1; k < 64;) {
      const int s = symbol(code), run = s >> 4, size = s & 15;
      if (size == 0 && run != 15) return;
      if (size > 0) bits_.bits(size);
      k += run + 1;
    }
  }

  /// `run` of a code without a number: this block and the next 2^run - 1 + (run bits) end here.
  void end_blocks(int run) { ended_blocks_ = (1 << run) - 1 + (run > 0 ? bits_.bits(run) : 0); }

  void first_bits(const PrefixCode& code, std::uint64_t& nonzero) {
    if (ended_blocks_ > 0) {
      --ended_blocks_;
      return;
    }
    for (int k = scan_.first; k <= scan_.last;) {
      const int s = symbol(code), run = s >> 4, size = s & 15;
      if (size == 0 && run != 15) return end_blocks(run);
      k += run;
      if (size > 0) {
        if (std::abs(number(size)) << scan_.low > 32767) file_.damaged("a coefficient too large");
        nonzero |= std::uint64_t{1} << (k < 63 ? k : 63);
      }
      ++k;
    }
  }

  /// The next bit of non-zero coefficients, and newly non-zero ones.
  void next_bits(const PrefixCode& code, std::uint64_t& nonzero) {
    int k = scan_.first;
    if (ended_blocks_ > 0) {
      --ended_blocks_;
      return rest(k, nonzero);
    }
    while (k <= scan_.last) {
      const int s = symbol(code), run = s >> 4, size = s & 15;
      if (size > 1) file_.damaged("a new coefficient of more than one bit");
      if (size == 0 && run != 15) {
        end_blocks(run);
        return rest(k, nonzero);
      }
      if (size == 1) bits_.bit();  // its sign
      if (pass(k, run, nonzero) && size == 1) nonzero |= std::uint64_t{1} << (k - 1);
    }
  }

  /// One bit for each non-zero coefficient from k on.
  void rest(int k, std::uint64_t nonzero) {
    if (k > scan_.last) return;
    const std::uint64_t band = ~std::uint64_t{0} >> (63 - scan_.last) >> k << k;
    for (int i = std::popcount(nonzero & band); i > 0; --i) bits_.bit();
  }

  /// Moves k past `zeros` zeros and one more, reading one bit for each non-zero coefficient between
  /// them. False if the band ends first.
  bool pass(int& k, int zeros, std::uint64_t nonzero) {
    while (k <= scan_.last) {
      if ((nonzero >> k++ & 1) != 0) {
        bits_.bit();
      } else if (zeros-- == 0) {
        return true;
      }
    }
    return false;
  }

  const HostileFile& file_;
  const JpegFrame& frame_;
  const JpegTables& tables_;
  const JpegScan& scan_;
  JpegBits bits_;
  std::array<int, 4> predicted_{};
  int ended_blocks_ = 0;  // remaining blocks without data in this scan
};

}  // namespace gaze::image::detail
