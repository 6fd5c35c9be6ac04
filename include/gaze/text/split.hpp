// SPDX-License-Identifier: MIT
// The pre-tokeniser: splits a text into pieces, each of which is looked up whole in the vocabulary.
//
// kSplitRegex is the rule in tokenizer.json; next_piece is the same rule written by hand, and the
// golden test compares the two. A piece includes the one space before it (" mass"), so
// spaces need no separate tokens. In order of preference a piece is
//   an option label        "A:" to "D:"
//   a unit or short word   factors of 1 to 3 letters, each with a power: "kg*m/s^2", "s^-1", "the"
//   a word                 "acceleration"
//   a whole number         "12"
//   any one character      "=", "(", a line feed
//   a space                followed by another space
// Letters are a-z, A-Z and everything beyond ASCII (so "°C" and "Ω" are words) except U+00A0 and
// U+2000 to U+206F, which are spaces, dashes and quotation marks. "<" is always a piece of its own,
// so no piece can look like a byte token ("<0x41>") or a control token.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "gaze/core/utf8.hpp"

namespace gaze::text {

namespace detail {

/// Regular expressions of a letter and of one factor of a unit.
inline const std::string kLetter =
    "[^\\x00-\\x40\\x5B-\\x60\\x7B-\\x7F\xC2\xA0\xE2\x80\x80-\xE2\x81\xAF]";
inline const std::string kFactor = kLetter + "{1,3}(?!" + kLetter + ")(?:\\^-?[0-9]+)?";

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Length of the letter at `at`, or 0.
inline std::size_t letter(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  const Utf8Char c = utf8_char(text, at);
  if (c.code < 0x80) {
    const bool ascii = (c.code >= 'a' && c.code <= 'z') || (c.code >= 'A' && c.code <= 'Z');
    return ascii ? 1 : 0;
  }
  return c.code == 0xA0 || (c.code >= 0x2000 && c.code <= 0x206F) ? 0 : c.length;
}

/// End of the run of digits that starts at `at`; `at` itself if there is none.
inline std::size_t digits_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// End of the run of letters that starts at `at`; counts them up to `at_most` + 1.
inline std::size_t letters_end(std::string_view text, std::size_t at, std::size_t at_most,
                               std::size_t& count) {
  count = 0;
  for (std::size_t n; count <= at_most && (n = letter(text, at)) != 0; at += n) ++count;
  return at;
}

/// End of the factor ("s^-2") that starts at `at`; `at` itself if there is none.
inline std::size_t factor_end(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  const std::size_t end = letters_end(text, at, 3, count);
  if (count == 0 || count > 3) return at;
  if (end >= text.size() || text[end] != '^') return end;
  const bool minus = end + 1 < text.size() && text[end + 1] == '-';
  const std::size_t power = end + 1 + (minus ? 1 : 0);
  const std::size_t power_end = digits_end(text, power);
  return power_end > power ? power_end : end;
}

/// End of the unit ("kg*m/s^2") that starts at `at`; `at` itself if there is none.
inline std::size_t unit_end(std::string_view text, std::size_t at) {
  std::size_t end = factor_end(text, at);
  while (end > at && end < text.size() && (text[end] == '/' || text[end] == '*')) {
    const std::size_t next = factor_end(text, end + 1);
    if (next == end + 1) break;
    end = next;
  }
  return end;
}

}  // namespace detail

/// The rule as a regular expression of the Hugging Face format.
inline const std::string kSplitRegex = " ?[A-D]:| ?" + detail::kFactor + "(?:[/*]" +
                                       detail::kFactor + ")*| ?" + detail::kLetter +
                                       "+| ?[0-9]+| ?[^ ]| ";

/// End of the piece that starts at `at` (which must be inside `text`).
inline std::size_t next_piece(std::string_view text, std::size_t at) {
  const std::size_t start = at + (text[at] == ' ' ? 1 : 0);
  if (start == text.size() || text[start] == ' ') return at + 1;
  const char first = text[start];
  if (first >= 'A' && first <= 'D' && start + 1 < text.size() && text[start + 1] == ':') {
    return start + 2;
  }
  if (const std::size_t end = detail::unit_end(text, start); end > start) return end;
  std::size_t end = start;
  for (std::size_t n; (n = detail::letter(text, end)) != 0;) end += n;
  if (end == start) end = detail::digits_end(text, start);
  return end > start ? end : start + utf8_char(text, start).length;
}

}  // namespace gaze::text
