// SPDX-License-Identifier: MIT
// A JPEG's declarations: frame, tables and scans (ITU-T T.81).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gaze/image/prefix_code.hpp"

namespace gaze::image::detail {

struct JpegComponent {
  int id = 0, h = 0, v = 0, quantization = 0;
  int blocks_wide = 0, blocks_high = 0;  // of 8 x 8 samples, in a scan of only this component
  /// Per coefficient in zigzag order, the lowest bit sent so far; not_sent before the first.
  std::array<std::int8_t, 64> sent;
  /// Progressive: the non-zero coefficients of each block, on which later scans depend.
  std::vector<std::uint64_t> nonzero;

  static constexpr std::int8_t not_sent = 127;
};

struct JpegFrame {
  bool progressive = false;
  int width = 0, height = 0;
  int mcus_wide = 0, mcus_high = 0;  // MCU: h x v blocks of every component
  std::vector<JpegComponent> components;
};

struct JpegTables {
  std::array<PrefixCode, 4> dc, ac;
  std::array<bool, 4> quantization{};
  int restart_interval = 0;  // MCUs between restart markers; 0: none
};

/// One scan: these components, coefficients first to last, bits high (0: not sent before) to low.
struct JpegScan {
  struct Part {
    JpegComponent* component;
    int dc, ac;  // Huffman tables
  };
  std::vector<Part> parts;
  int first = 0, last = 63, high = 0, low = 0;
};

}  // namespace gaze::image::detail
