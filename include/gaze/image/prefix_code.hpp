// SPDX-License-Identifier: MIT
// A canonical prefix (Huffman) code, as JPEG (ITU-T T.81, C and F.2.2.3) and deflate (RFC 1951,
// 3.2.2) define it: codes of one length are consecutive, shorter ones first. Decoded bit by bit
// without building a table, because a hostile file may define a code every few bytes.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gaze/core/language.hpp"

namespace gaze::image::detail {

class PrefixCode {
 public:
  static constexpr std::size_t max_length = 16, max_symbols = 288;

  /// Defines the code by its number of codes of 1, 2, … bits, and the symbols in code order.
  /// False if there are more codes than code words.
  bool define(std::span<const std::uint16_t> counts, std::span<const std::uint16_t> symbols) {
    counts_ = {};
    int free = 1;
    for (std::size_t n = 0; n < counts.size(); ++n) {
      free = 2 * free - counts[n];
      if (free < 0) return false;
      counts_[n] = counts[n];
    }
    for (std::size_t i = 0; i < symbols.size(); ++i) symbols_[i] = symbols[i];
    defined_ = true;
    return true;
  }

  /// Defines the code by each symbol's code length; 0 for a symbol without a code.
  bool define_lengths(std::span<const std::uint8_t> lengths) {
    std::array<std::uint16_t, max_length> counts{}, next{};
    std::array<std::uint16_t, max_symbols> symbols{};
    std::size_t total = 0;
    for (const std::uint8_t n : lengths) {
      if (n > 0) ++counts[n - 1u], ++total;
    }
    for (std::size_t n = 1; n < max_length; ++n) {
      next[n] = static_cast<std::uint16_t>(next[n - 1] + counts[n - 1]);
    }
    for (std::size_t s = 0; s < lengths.size(); ++s) {
      if (lengths[s] > 0) symbols[next[lengths[s] - 1u]++] = static_cast<std::uint16_t>(s);
    }
    return define(counts, std::span(symbols).first(total));
  }

  bool defined() const { return defined_; }

  /// The next symbol; -1 if the bits are not a code word.
  template <class Bits>
  int read(Bits& bits) const {
    int code = 0, first = 0, index = 0;
    for (const int count : counts_) {
      code = 2 * code + bits.bit();
      first *= 2;
      if (code < first + count) return symbols_[static_cast<std::size_t>(index + code - first)];
      first += count;
      index += count;
    }
    return -1;
  }

 private:
  std::array<std::uint16_t, max_length> counts_{};  // [n - 1]: codes of n bits
  std::array<std::uint16_t, max_symbols> symbols_{};
  bool defined_ = false;
};

}  // namespace gaze::image::detail
