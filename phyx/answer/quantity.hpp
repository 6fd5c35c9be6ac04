// SPDX-License-Identifier: MIT
// Reading one physical quantity out of an answer's text: "12 N", "3.2 × 10^4 J", "F = -1/2 m/s²",
// "\frac{2\pi}{3}\,\text{rad}". A text that offers several numbers is not a quantity: a reader
// would not know which one is meant, and neither may a reward.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace gaze::phyx {

/// A number with its unit as it was written, and the number of significant digits it was given in.
struct Quantity {
  double value = 0;
  std::string unit;  // empty when none is written
  int significant = 0;
  std::string note;  // what stands behind the unit: "to the left"
};

/// Whether a text doubts what it says or offers several things: "or", "not", "maybe", "±".
bool hedges(std::string_view text);

/// Whether two quantities are the same within a relative tolerance, converting `a` to the unit of
/// `b`; the tolerance is the same at every size. Where `b` is 0 nothing is relative to it: then
/// `zero` is the most that counts as 0, in the unit of `b`. A missing unit equals only a missing
/// unit or a dimensionless one.
bool same_quantity(const Quantity& a, const Quantity& b, double tolerance, double zero = 1e-12);

/// Reads one quantity. Nothing when there is no number, when several numbers are offered ("12 or
/// 13", "12 ± 1"), or when the number is not worked out ("3 * 4"). In "F = m a = 12 N" the last
/// part counts, and earlier parts that are quantities themselves must agree with it.
std::optional<Quantity> parse_quantity(std::string_view raw);

}  // namespace gaze::phyx
