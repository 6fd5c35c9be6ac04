// SPDX-License-Identifier: MIT
// Finding and checking arithmetic in a text: "5 * 2 = 10", "( 3 + 4 ) / 2 = 3.5",
// "20 * sin 30 = 10" (degrees). The rubric checks that steps are true and which numbers they use.
#pragma once
#include <set>
#include <string_view>
#include <vector>

namespace gaze::phyx {

/// One "expression = result". `operands` are the numbers written on the left (all non-negative).
struct Equation {
  std::vector<double> operands;
  double left = 0, right = 0;
  bool holds = false;    // true up to the rounding of the written result
  bool trivial = false;  // the result is one of the operands: "12 * 1 = 12"
};

/// A set of numbers with lookup in logarithmic time. Numbers are equal if they differ by at most a
/// billionth, relative to the one in the set.
class NumberSet {
 public:
  void add(double v) { values_.insert(v); }
  bool contains(double v) const;

 private:
  std::set<double> values_;
};

/// The equations of a text in order; clauses end at standalone stops, commas, colons and lines.
std::vector<Equation> find_equations(std::string_view text);

/// The numbers in a text without their signs; digits inside names ("v0", "s^2") are not numbers.
std::vector<double> numbers_in(std::string_view raw);

}  // namespace gaze::phyx
