// SPDX-License-Identifier: MIT
// Classes of the characters of a UTF-8 text, by the tables of unicode_tables.hpp. A byte that is
// not part of a valid character is a character of its own, of CharClass::other.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "gaze/core/utf8.hpp"
#include "gaze/text/unicode_tables.hpp"

namespace gaze::text {

namespace detail {

/// Binary search in the table.
constexpr CharClass find_class(std::int32_t code) {
  const auto* range =
      std::lower_bound(std::begin(char_table::kRanges), std::end(char_table::kRanges), code,
                       [](const char_table::Range& r, std::int32_t c) { return r.last < c; });
  const bool inside = range != std::end(char_table::kRanges) && range->first <= code;
  return inside ? range->kind : CharClass::other;
}

inline constexpr auto kAsciiClasses = [] {
  std::array<CharClass, 128> classes{};
  for (std::size_t i = 0; i < classes.size(); ++i)
    classes[i] = find_class(static_cast<std::int32_t>(i));
  return classes;
}();

}  // namespace detail

/// The class of a code point.
constexpr CharClass char_class(std::int32_t code) {
  if (code >= 0 && code < 128) return detail::kAsciiClasses[static_cast<std::size_t>(code)];
  return detail::find_class(code);
}

/// True for general category N.
constexpr bool is_number(CharClass c) {
  return c == CharClass::numeral || c == CharClass::other_number;
}
/// True for characters that belong to words in regular expressions.
constexpr bool is_word_char(CharClass c) {
  return c == CharClass::letter || c == CharClass::numeral || c == CharClass::other_word;
}

/// One character of a text: its length in bytes and its class.
struct ClassedChar {
  std::size_t length;
  CharClass kind;
};

/// The character that starts at byte `at` < text.size().
inline ClassedChar classed_char(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 128) return {1, detail::kAsciiClasses[lead]};
  const Utf8Char c = utf8_char(text, at);
  return {c.length, char_class(c.code)};
}

/// The character that ends before byte `end` > 0.
inline ClassedChar classed_char_before(std::string_view text, std::size_t end) {
  for (std::size_t length = std::min<std::size_t>(end, 4); length > 1; --length) {
    const ClassedChar c = classed_char(text, end - length);
    if (c.length == length) return c;
  }
  return {1, static_cast<unsigned char>(text[end - 1]) < 128 ? classed_char(text, end - 1).kind
                                                             : CharClass::other};
}

}  // namespace gaze::text
