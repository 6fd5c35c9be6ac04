// SPDX-License-Identifier: MIT
// Converts LaTeX and typography to plain text in one pass:
//
//   plain("\\frac{1}{2}\\,\\text{m}")   -> "1/2 m"
//   flatten("3\\frac{1}{2\\pi}")        -> "3 1⁄(2π)"
//
// Time is linear in the text, which is untrusted and may have any length.
#pragma once
#include <string>
#include <string_view>

namespace gaze::phyx::plain_text {

/// Binds tighter than any other operator in a flattened text: "1⁄2π" is half of π.
inline constexpr std::string_view fraction_slash = "\u2044";
/// In a flattened text only between a digit and a group of three: "12 000".
inline constexpr std::string_view thin_space = "\u2009";

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "m s⁻²" -> "m s^-2": a run of superscript characters becomes one exponent.
std::string flatten_superscripts(std::string_view text);

/// A text without LaTeX, with single spaces, fraction_slash in fractions and thin_space in numbers.
std::string flatten(std::string_view raw);

/// A flattened text with ordinary slashes and spaces.
std::string as_typed(std::string_view flat);

/// LaTeX and typographic forms as plain text: "\frac{1}{2}\,\text{m}" -> "1/2 m".
std::string plain(std::string_view raw);

}  // namespace gaze::phyx::plain_text
