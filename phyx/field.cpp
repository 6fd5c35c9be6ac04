// SPDX-License-Identifier: MIT
// Ranges and their texts.
#include "phyx/field.hpp"

namespace gaze::phyx {

Range at_least(double low) { return {.low = low}; }

Range above(double low) { return {.low = low, .low_excluded = true}; }

Range from_to(double low, double high) { return {.low = low, .high = high}; }

Range below_one() { return {.low = 0, .high = 1, .high_excluded = true}; }

std::string Range::text() const {
  if (std::isinf(low) && std::isinf(high)) return "";
  if (std::isinf(high)) return concat(low_excluded ? "above " : "of at least ", low);
  if (std::isinf(low)) return concat(high_excluded ? "below " : "of at most ", high);
  if (!low_excluded && !high_excluded) return concat("from ", low, " to ", high);
  return concat("in ", low_excluded ? "(" : "[", low, ", ", high, high_excluded ? ")" : "]");
}

}  // namespace gaze::phyx
