// SPDX-License-Identifier: MIT
// GPG's advantages, A = (r - mean) B / number of rewards (centred, or as they are) that are not 0:
// by hand, and through the names of the options and the variants.
#include "gaze/rl/options.hpp"
#include "tests/test.hpp"

namespace test_grpo_nonzero {
namespace {

using namespace gaze;
using namespace gaze::rl;
using Numbers = std::vector<double>;

Numbers gpg(const Numbers& rewards, Index group, const char* name = "gpg") {
  return advantages(rewards, group, variant(name).advantage).values;
}

void check(const Numbers& got, const Numbers& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    INFO("completion " << i);
    CHECK(got[i] == Catch::Approx(want[i]).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("GPG scales centred rewards by the batch size over the non-zero count") {
  // Two groups: the first centred to +-1/2, the second to 0: 4 of 8, so twice as much.
  check(gpg({1, 0, 0, 1, 1, 1, 1, 1}, 4), {1, -1, -1, 1, 0, 0, 0, 0});
  check(gpg({1, 0, 0, 1, 0, 0, 0, 0}, 4), {1, -1, -1, 1, 0, 0, 0, 0});
  // All centred rewards are non-zero: only the mean is subtracted.
  check(gpg({1, 0, 0, 1}, 4), {0.5, -0.5, -0.5, 0.5});
  check(gpg({3, 1, 0, 4}, 2), {1, -1, -2, 2});
  // One reward is its group's mean: 2 of 3.
  check(gpg({0, 1, 2}, 3), {-1.5, 0, 1.5});
}

TEST_CASE("GPG supports verl's count of non-zero rewards") {
  check(gpg({1, 0, 0, 1, 1, 1, 1, 1}, 4, "gpg_verl"),
        {0.5 * 8 / 6, -0.5 * 8 / 6, -0.5 * 8 / 6, 0.5 * 8 / 6, 0, 0, 0, 0});
  check(gpg({1, 0, 0, 1, 0, 0, 0, 0}, 4, "gpg_verl"), {2, -2, -2, 2, 0, 0, 0, 0});
  check(gpg({0.5, -0.5, 0, 0}, 4, "gpg_verl"), {1, -1, 0, 0});
}

TEST_CASE("groups of equal rewards get zeros, even if their mean is rounded") {
  for (const char* name : {"gpg", "gpg_verl"})
    for (const double r : {0.0, 1.0, 0.1, -2.7}) {
      INFO(name << ", " << r);
      CHECK(gpg({r, r, r}, 3, name) == Numbers{0, 0, 0});
      CHECK(gpg({r, r, r, r, r, r}, 3, name) == Numbers(6, 0.0));
    }
  // The rounded mean of 0.1, 0.1, 0.1 is not 0.1: these must count as zero after centring.
  check(gpg({0.1, 0.1, 0.1, 1, 0, 0.5}, 3), {0, 0, 0, 0.5 * 3, -0.5 * 3, 0});
}

TEST_CASE("an unscored completion is in neither count") {
  RewardTable table;
  table.rows = {{1.0}, {0.0}, {Score()}, {1.0}, {1.0}, {1.0}};
  // Scored: 5, centred to something: 2.
  check(advantages(table, 3, variant("gpg").advantage).values, {1.25, -1.25, 0, 0, 0, 0});
  // Rewards that are not 0: 4.
  check(advantages(table, 3, variant("gpg_verl").advantage).values, {0.625, -0.625, 0, 0, 0, 0});
}

TEST_CASE("GPG is a choice of the spread setting") {
  GrpoSettings s;
  set_option(s, "spread=nonzero");
  CHECK(s.advantage.spread == Spread::nonzero);
  CHECK(options_json(s)["spread"] == "nonzero");
  set_option(s, "spread=nonzero_rewards");
  CHECK(s.advantage.spread == Spread::nonzero_rewards);
  GrpoSettings named;
  named.apply(variant("gpg"));
  CHECK(named.advantage.spread == Spread::nonzero);
  CHECK(named.loss.surrogate == Surrogate::weight);  // of 1: plain policy gradient
  CHECK(named.loss.clip_low == 0);
  CHECK(named.loss.clip_high == 0);
  const auto a = advantages(Numbers{1, 0, 2, 2}, 2, s.advantage);
  CHECK(a.frac_zero_std == 0.5);
}

}  // namespace test_grpo_nonzero
