// SPDX-License-Identifier: MIT
// Formatting with std::to_chars, which is independent of the locale.
#include "phyx/report/number_text.hpp"

#include <charconv>
#include <cmath>
#include <string>

namespace gaze::phyx::report {

std::string brief(double v) {
  if (!std::isfinite(v)) return "–";
  char buffer[64];  // 4 digits, sign, point and exponent are fewer than 16 characters
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::general, 4);
  std::string out(buffer, end.ptr);
  if (!out.empty() && out[0] == '-') out.replace(0, 1, "\u2212");
  return out;
}

std::string fixed(double v, int decimals) {
  if (!(std::fabs(v) < 1e15)) return brief(v);
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(v),
                                 std::chars_format::fixed, decimals);
  std::string out(buffer, end.ptr);
  const bool zero = out.find_first_not_of("0.") == std::string::npos;
  return (v < 0 && !zero ? "\u2212" : "") + out;
}

std::string coordinate(double v) {
  if (!(std::fabs(v) < 1e9)) v = 0;
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::fixed, 2);
  return std::string(buffer, end.ptr);
}

}  // namespace gaze::phyx::report
