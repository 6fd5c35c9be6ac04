// SPDX-License-Identifier: MIT
// Exercise 1: the derivatives of a division, as example 01 would store them on its edges.
#include "docs/book/exercises/check.hpp"

namespace {

struct Result {
  double value, by_a, by_b;  // a / b, d(a / b)/da, d(a / b)/db
};

Result divide(double a, double b) {
  // YOUR CODE: begin
  return {a / b, 0, 0};
  // YOUR CODE: end
}

}  // namespace

int main() {
  exercise::Check check;
  const double h = 1e-6;
  for (const double a : {-2.0, 0.5, 3.0})
    for (const double b : {-1.5, 0.25, 4.0}) {
      const Result r = divide(a, b);
      check.near("value", r.value, a / b);
      check.near("by a", r.by_a, ((a + h) / b - (a - h) / b) / (2 * h));
      check.near("by b", r.by_b, (a / (b + h) - a / (b - h)) / (2 * h));
    }
  return check.verdict();
}
