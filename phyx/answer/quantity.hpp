// SPDX-License-Identifier: MIT
// Parses one physical quantity from an answer: "12 N", "3.2 × 10^4 J", "F = -1/2 m/s²",
// "\frac{2\pi}{3}\,\text{rad}". A text with several numbers is not a quantity: which one is
// meant is ambiguous.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace gaze::phyx {

/// A number with its unit as written and its number of significant digits.
struct Quantity {
  double value = 0;
  std::string unit;  // empty if none is written
  int significant = 0;
  std::string note;  // the text after the unit: "to the left"
};

/// Whether a text hedges or offers alternatives: "or", "not", "maybe", "±".
bool hedges(std::string_view text);

/// Whether two quantities agree within a relative tolerance, after converting `a` to the unit of
/// `b`. If `b` is 0, values up to `zero` (in the unit of `b`) count as equal. A missing unit
/// matches only a missing or dimensionless unit.
bool same_quantity(const Quantity& a, const Quantity& b, double tolerance, double zero = 1e-12);

/// Parses one quantity. Empty without a number, with several numbers ("12 or 13", "12 ± 1"), or
/// with an unevaluated expression ("3 * 4"). In "F = m a = 12 N" the last part counts, and earlier
/// parts that are quantities must agree with it.
std::optional<Quantity> parse_quantity(std::string_view raw);

}  // namespace gaze::phyx
