// SPDX-License-Identifier: MIT
// Numbers as a reader expects them, whatever they are: a dash for what is not a number, an exponent
// for what would fill the line.
#pragma once
#include <charconv>
#include <cmath>
#include <string>

namespace gaze::phyx::report {

/// A short number for axes and tables: 4 significant digits, no exponent for common sizes, with a
/// real minus sign.
inline std::string brief(double v) {
  if (!std::isfinite(v)) return "–";
  char buffer[64];  // 4 digits, sign, point and exponent are fewer than 16 characters
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::general, 4);
  std::string out(buffer, end.ptr);
  if (!out.empty() && out[0] == '-') out.replace(0, 1, "\u2212");
  return out;
}

/// A number with fixed decimals, independent of the locale, with a real minus sign; from 1e15 on,
/// where decimals mean nothing any more, as brief() writes it.
inline std::string fixed(double v, int decimals) {
  if (!(std::fabs(v) < 1e15)) return brief(v);
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(v),
                                 std::chars_format::fixed, decimals);
  std::string out(buffer, end.ptr);
  const bool zero = out.find_first_not_of("0.") == std::string::npos;
  return (v < 0 && !zero ? "\u2212" : "") + out;
}

/// A share as percent: 0.531 -> "53.1".
inline std::string percent(double share, int decimals = 1) { return fixed(share * 100, decimals); }

/// A coordinate in an SVG: plain ASCII minus, two decimals; 0 for what lies nowhere near a picture.
inline std::string coordinate(double v) {
  if (!(std::fabs(v) < 1e9)) v = 0;
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::fixed, 2);
  return std::string(buffer, end.ptr);
}

}  // namespace gaze::phyx::report
