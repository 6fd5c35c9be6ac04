// SPDX-License-Identifier: MIT
// Derivatives of every operation against finite differences, in float64, over random shapes,
// broadcasts, strides and empty sizes.
#include <set>

#include "tests/op_rows.hpp"
#include "tests/random_trials_models.hpp"

namespace test_ops_random {

using namespace gaze;
using namespace gaze::test;

TEST_CASE("every operation with a derivative has random trials", "[ops]") {
  std::set<std::string> made;
  for (const auto& [op, maker] : random_trials()) made.insert(op);
  CHECK(unmatched(finite_differences, " with finite_differences", "random_trials()", made) == "");
}

TEST_CASE("gradients agree with finite differences in random trials", "[ops]") {
  int views = 0, empty = 0;
  for (const auto& [op, make] : random_trials()) {
    int own_views = 0, tested = 0;
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
      Draw draw(seed);
      const Trial t = make(draw);
      own_views += t.views;
      empty += t.empty;
      tested += !t.empty;
      gradcheck(op + ", seed " + std::to_string(seed), t.f,
                random_inputs<double>(t.leaves, t.low, t.high));
    }
    INFO(op);
    CHECK(own_views >= 5);
    CHECK(tested >= 8);
    views += own_views;
  }
  CHECK(views > 500);
  CHECK(empty > 100);
}

}  // namespace test_ops_random
