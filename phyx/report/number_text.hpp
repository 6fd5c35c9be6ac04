// SPDX-License-Identifier: MIT
// Numbers as a reader expects them, whatever they are: a dash for what is not a number, an exponent
// for what would fill the line.
#pragma once
#include <string>

namespace gaze::phyx::report {

/// A short number for axes and tables: 4 significant digits, no exponent for common sizes, with a
/// real minus sign.
std::string brief(double v);

/// A number with fixed decimals, independent of the locale, with a real minus sign; from 1e15 on,
/// where decimals mean nothing any more, as brief() writes it.
std::string fixed(double v, int decimals);

/// A share as percent: 0.531 -> "53.1".
inline std::string percent(double share, int decimals = 1) { return fixed(share * 100, decimals); }

/// A coordinate in an SVG: plain ASCII minus, two decimals; 0 for what lies nowhere near a picture.
std::string coordinate(double v);

}  // namespace gaze::phyx::report
