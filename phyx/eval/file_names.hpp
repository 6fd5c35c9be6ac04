// SPDX-License-Identifier: MIT
// File names made of text from data: the one place where such text becomes part of a path.
//
//   safe_name(text)   one path component, which names a file of the folder it is put into and no
//                     other: no separators, no "..", no control characters, not too long
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "gaze/core/printable.hpp"
#include "gaze/io/sha256.hpp"

namespace gaze::phyx {

/// What a file name made of data may have at most, in bytes. File systems take 255; two of these,
/// an ending and that of a temporary file have room in it.
inline constexpr std::size_t longest_name = 96;

namespace detail {

inline void append_percent(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    ((out += '%') += "0123456789ABCDEF"[value >> 4]) += "0123456789ABCDEF"[value & 15];
  }
}

}  // namespace detail

/// `text` as a file name. Different texts give different names: what a name cannot have is written
/// %NN, and of a text that is too long the end is replaced by a digest of the whole. `also` are
/// further characters to be written %NN.
inline std::string safe_name(std::string_view text, std::string_view also = {}) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_char(text, at);
    const std::string_view bytes = text.substr(at, c.length);
    const bool leading = at == 0 && (c.code == '.' || c.code == '-' || c.code == ' ');
    at += c.length;
    const bool good = c.code >= 0 && !gaze::detail::acts_on_text(c.code) && c.code != '/' &&
                      c.code != '\\' && c.code != '%' && !leading && also.find(bytes) == also.npos;
    if (good)
      out += bytes;
    else
      detail::append_percent(out, bytes);
  }
  if (out.empty()) return "%";  // of no other text
  if (out.size() <= longest_name) return out;
  constexpr std::size_t digits = 32;
  std::size_t keep = longest_name - digits - 1;
  while (keep > 0 && (out[keep] & 0xC0) == 0x80) --keep;  // not in the middle of a character
  return out.substr(0, keep) + "%" + io::sha256(text).substr(0, digits);
}

}  // namespace gaze::phyx
