// SPDX-License-Identifier: MIT
// UTF-8, only as much as the tokeniser needs.
#pragma once
#include <cstddef>
#include <string_view>

#include "gaze/core/utf8.hpp"

namespace gaze::text {

using gaze::utf8_char;
using gaze::Utf8Char;

inline bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char c = utf8_char(text, i);
    if (c.code < 0) return false;
    i += c.length;
  }
  return true;
}

}  // namespace gaze::text
