#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes include/gaze/text/unicode_tables.hpp: classes of the Unicode characters.

    pip install unicodedata2==16.0.0
    python3 tests/golden/make_unicode_tables.py

General categories come from UnicodeData.txt of Unicode 16.0.0, as the package unicodedata2 16.0.0
has it (Python's own unicodedata is often older). The package has no properties of PropList.txt, so
the few that matter are listed here: White_Space, Join_Control, and those characters of
Other_Alphabetic that are not marks (the enclosed Latin letters).
"""
import pathlib
import sys

import unicodedata2

VERSION = "16.0.0"
WHITE_SPACE = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029,
               0x202F, 0x205F, 0x3000}
JOIN_CONTROL = {0x200C, 0x200D}
ENCLOSED_LETTERS = {*range(0x24B6, 0x24EA), *range(0x1F130, 0x1F14A), *range(0x1F150, 0x1F16A),
                    *range(0x1F170, 0x1F18A)}

HEADER = """\
// SPDX-License-Identifier: MIT
// Classes of the characters of Unicode {version}. Written by tests/golden/make_unicode_tables.py
// from UnicodeData.txt and PropList.txt of that version; not to be edited by hand.
#pragma once
#include <cstdint>

#include "gaze/core/language.hpp"

namespace gaze::text {{

/// Classes that pre-tokenizers and the flags of added tokens distinguish. A word character is one
/// that the regular expression \\w matches: a letter, a numeral or one of other_word.
enum class CharClass : std::uint8_t {{
  other,         ///< everything else, also what is not assigned
  letter,        ///< general category L
  numeral,       ///< Nd and Nl: numbers that are word characters
  other_number,  ///< No: numbers that are not
  other_word,    ///< M, Pc, Join_Control, enclosed Latin letters: the other word characters
  space          ///< property White_Space
}};

namespace char_table {{

/// The characters `first` to `last`, both included, of one class.
struct Range {{
  std::int32_t first, last;
  CharClass kind;
}};

inline constexpr auto L = CharClass::letter, N = CharClass::numeral, O = CharClass::other_number,
                      W = CharClass::other_word, S = CharClass::space;

/// In ascending order, without overlaps; a character in none of them is CharClass::other.
// clang-format off
inline constexpr Range kRanges[] = {{
"""
FOOTER = """\
};
// clang-format on

}  // namespace char_table

}  // namespace gaze::text
"""


def letter_of_class(code):
    """The class of a character as its letter in the header, or None."""
    category = unicodedata2.category(chr(code))
    if code in WHITE_SPACE:
        return "S"
    if category[0] == "L":
        return "L"
    if category[0] == "N":
        return "O" if category == "No" else "N"
    if category[0] == "M" or category == "Pc" or code in JOIN_CONTROL | ENCLOSED_LETTERS:
        return "W"
    return None


def ranges():
    found, start = [], 0
    for code in range(1, 0x110001):
        kind = letter_of_class(start)
        if code < 0x110000 and letter_of_class(code) == kind:
            continue
        if kind:
            found.append((start, code - 1, kind))
        start = code
    return found


def main():
    if unicodedata2.unidata_version != VERSION:
        sys.exit(f"unicodedata2 has Unicode {unicodedata2.unidata_version}, not {VERSION}")
    lines, line = [], ""
    for first, last, kind in ranges():
        entry = f"{{0x{first:X}, 0x{last:X}, {kind}}},"
        if len(line) + 1 + len(entry) > 99:
            lines.append(line)
            line = ""
        line += (" " if line else "    ") + entry
    lines.append(line)
    root = pathlib.Path(__file__).resolve().parents[2]
    text = HEADER.format(version=VERSION) + "\n".join(lines) + "\n" + FOOTER
    (root / "include/gaze/text/unicode_tables.hpp").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
