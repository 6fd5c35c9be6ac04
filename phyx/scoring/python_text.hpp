// SPDX-License-Identifier: MIT
// Python's str: code points, strip, lower and word characters. The official rules are written in
// Python, so these functions follow its Unicode tables.
#pragma once
#include <string>
#include <string_view>

namespace gaze::phyx::python {

/// A text as code points. A byte that is not UTF-8 becomes U+DC00 + byte.
std::u32string to_points(std::string_view text);

/// The inverse of to_points.
std::string to_utf8(std::u32string_view points);

/// str.isspace; also the characters that strip removes and \s matches.
bool is_space(char32_t c) noexcept;

/// str.strip.
std::u32string_view strip(std::u32string_view text) noexcept;

/// \w: a letter, a digit or an underscore.
bool is_word(char32_t c) noexcept;

/// The lower case of one code point; itself if it has none.
char32_t lower_point(char32_t c) noexcept;

/// str.lower.
std::u32string lower(std::u32string_view text);

/// Whether `word` occurs in `text`, in linear time.
bool contains(std::u32string_view text, std::u32string_view word);

}  // namespace gaze::phyx::python
