// SPDX-License-Identifier: MIT
// Fuzz target: numbers with units, converted from one to the other.
#include <cmath>
#include <string_view>

#include "phyx/answer/choice.hpp"
#include "phyx/answer/quantity.hpp"
#include "phyx/answer/units.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_quantity {

using namespace gaze::phyx;
using gaze::fuzz::require;

void run(std::string_view input) {
  gaze::fuzz::Pieces pieces{input};
  const auto a = parse_quantity(pieces.next()), b = parse_quantity(pieces.rest);
  if (!a || !b) return;
  require(std::isfinite(a->value) && std::isfinite(b->value), "not a finite value");
  require(a->significant >= 0, "a negative number of digits");
  require(same_quantity(*a, *a, 0), "a quantity differs from itself");
  same_quantity(*a, *b, 0.01);
  const auto converted = conversions(a->value, a->unit, b->unit);
  for (const double v : converted) require(std::isfinite(v), "not a finite conversion");
  require(converted.empty() || commensurable(a->unit, b->unit), "converted without a common unit");
}

const gaze::fuzz::Target target("quantity", run);

}  // namespace fuzz_quantity
