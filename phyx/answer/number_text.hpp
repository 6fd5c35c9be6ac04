// SPDX-License-Identifier: MIT
// Parses a number at the front of a flattened text: "3.2 × 10^4", "12 000", "0,5", "1⁄2π".
#pragma once
#include <optional>
#include <string_view>

namespace gaze::phyx {

/// A number at the front of a text.
struct LeadingNumber {
  double value = 0;
  int significant = 0;    // largest number of significant digits of its parts
  std::string_view rest;  // the text after it
};

/// Parses `[sign] product [/ product]`, where a product is a number with powers of ten, π and √.
/// Empty if the text does not start with a number, or with an unevaluated ("3 * 4") or infinite
/// one.
std::optional<LeadingNumber> leading_number(std::string_view flat);

}  // namespace gaze::phyx
