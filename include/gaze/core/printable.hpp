// SPDX-License-Identifier: MIT
// Text from files, servers and models, made fit to be shown: on a terminal it must not move the
// cursor, set a title, clear the screen or reverse the order of what stands beside it.
//
//   printable("a\x1b[2Jb\xE2\x80\xAE")   ->  a\x1b[2Jb\u{202e}
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gaze/core/utf8.hpp"

namespace gaze {

/// Bytes of a text from outside that the message of an error shows.
inline constexpr std::size_t kShownBytes = 200;

/// What becomes of line breaks and tabs: a space each, or they stay as they are.
enum class LineBreaks { joined, kept };

/// Code points that act on the terminal or on the text around them instead of being seen: controls
/// (C0, DEL, C1), line and paragraph separators, marks, embeddings, overrides and isolates of
/// direction (UAX #9), invisible spaces and operators, tags.
constexpr bool acts_on_text(std::int32_t code) {
  const auto within = [code](std::int32_t first, std::int32_t last) {
    return code >= first && code <= last;
  };
  return code < 0x20 || within(0x7F, 0x9F) || code == 0x61C || code == 0x200B ||
         within(0x200E, 0x200F) || within(0x2028, 0x202E) || within(0x2060, 0x206F) ||
         code == 0xFEFF || within(0xFFF9, 0xFFFB) || within(0xE0000, 0xE0FFF);
}

namespace detail {

/// \x1b for a byte, \u{202e} for a character of several.
inline std::string escaped(const Utf8Char& c, char byte) {
  constexpr const char* digits = "0123456789abcdef";
  if (c.length == 1) {
    const auto b = static_cast<unsigned char>(byte);
    return {'\\', 'x', digits[b / 16], digits[b % 16]};
  }
  std::string hex;
  for (std::int32_t code = c.code; code > 0; code /= 16) hex.insert(0, 1, digits[code % 16]);
  return "\\u{" + hex + "}";
}

}  // namespace detail

/// `text` with everything escaped that a terminal would act on, and bytes that are not UTF-8. Of a
/// text whose result would be longer than `most` bytes the beginning remains, with "..." after it.
inline std::string printable(std::string_view text, std::size_t most = std::string_view::npos,
                             LineBreaks breaks = LineBreaks::joined) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_char(text, at);
    std::string shown(text.substr(at, c.length));
    const bool line_break = c.code == '\n' || c.code == '\t' || c.code == '\r';
    if (line_break && (breaks == LineBreaks::joined || c.code == '\r'))
      shown = " ";
    else if (!line_break && acts_on_text(c.code))
      shown = detail::escaped(c, text[at]);
    if (shown.size() > most - out.size()) return out + "...";
    out += shown;
    at += c.length;
  }
  return out;
}

/// One line of bounded length whose beginning and end remain, as for the message of an error: what
/// is wrong may stand on either side of a long text from a file.
inline std::string printable_line(std::string_view text) {
  constexpr std::size_t first = 1500, last = 400;  // bytes, of which each may take four
  if (text.size() <= first + last) return printable(text, 2 * (first + last));
  const auto whole = [text](std::size_t at) {  // not in the middle of a character
    for (int i = 0; i < 3 && (text[at] & 0xC0) == 0x80; ++i) --at;
    return at;
  };
  return printable(text.substr(0, whole(first)), 2 * first) + " ... " +
         printable(text.substr(whole(text.size() - last)));
}

}  // namespace gaze
