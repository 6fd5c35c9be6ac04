// SPDX-License-Identifier: MIT
// Comparisons of an exercise, and its verdict: red or green.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>

namespace exercise {

class Check {
 public:
  /// Compares two numbers, relative to the larger of 1 and |want|; prints the first difference.
  void near(const char* what, double got, double want, double tolerance = 1e-6) {
    const bool same = std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want));
    if (!same && green_) std::printf("%s: got %g, expected %g\n", what, got, want);
    green_ = green_ && same;
  }
  /// Prints the verdict; returns the exit status.
  int verdict() const {
    std::printf("%s\n", green_ ? "green" : "red");
    return green_ ? 0 : 1;
  }

 private:
  bool green_ = true;
};

}  // namespace exercise
