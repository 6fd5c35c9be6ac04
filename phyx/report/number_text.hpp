// SPDX-License-Identifier: MIT
// Formatting numbers for readers: a dash for NaN and infinity, an exponent for very large ones.
#pragma once
#include <string>

namespace gaze::phyx::report {

/// A short number for axes and tables: 4 significant digits, no exponent for common magnitudes,
/// with a real minus sign.
std::string brief(double v);

/// A number with fixed decimals and a real minus sign; brief() from 1e15 on.
std::string fixed(double v, int decimals);

/// A share as percent: 0.531 -> "53.1".
inline std::string percent(double share, int decimals = 1) { return fixed(share * 100, decimals); }

/// A coordinate in an SVG: ASCII minus, two decimals; 0 if not finite or far outside.
std::string coordinate(double v);

}  // namespace gaze::phyx::report
