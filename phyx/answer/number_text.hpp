// SPDX-License-Identifier: MIT
// Reading a number from the front of a flattened text: "3.2 × 10^4", "12 000", "0,5", "1⁄2π".
#pragma once
#include <optional>
#include <string_view>

namespace gaze::phyx {

/// A number at the front of a text.
struct LeadingNumber {
  double value = 0;
  int significant = 0;    // the most significant digits that any of its parts was written with
  std::string_view rest;  // the text behind it
};

/// Reads `[sign] product [/ product]` from a flattened text, where a product is a number with
/// powers of ten, π and √. Nothing when the text begins with no number, or with one that is not
/// worked out
/// ("3 * 4") or not finite.
std::optional<LeadingNumber> leading_number(std::string_view flat);

}  // namespace gaze::phyx
