// SPDX-License-Identifier: MIT
// Simulated studies: how often 95 % intervals over five seeds cover the truth.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "phyx/hash.hpp"
#include "phyx/results/statistics.hpp"
#include "tests/draws.hpp"
#include "tests/test.hpp"

namespace test_coverage {

using namespace gaze::phyx;
using gaze::test::coin;
using gaze::test::draw_normal;

namespace {

/// Standard deviations of the probability of a right answer.
struct Regime {
  std::string name;
  double seeds, scenes;
};

/// Errors of means over 5 seeds and 60 scenes: seeds .045 against scenes .005 (and .011 from the
/// samples), .002 against .028, .022 against .028.
const std::array<Regime, 3> regimes = {
    {{"seeds dominate", .10, .04}, {"scenes dominate", .005, .22}, {"both", .05, .22}}};

/// One condition of a study: two forms of each scene with four samples each. The mean probability
/// is exactly 1/2, since limiting it to 0 to 1 is symmetric.
RatioTable simulate(std::uint64_t key, const Regime& regime, std::size_t seeds,
                    std::uint64_t scene_key) {
  constexpr std::size_t scenes = 60;
  RatioTable out(seeds, std::vector<Ratio>(scenes));
  for (std::size_t s = 0; s < seeds; ++s) {
    const double of_seed = regime.seeds * draw_normal(mix_bits(key + 1), s);
    for (std::size_t i = 0; i < scenes; ++i) {
      const double of_scene = regime.scenes * draw_normal(mix_bits(scene_key + 2), i);
      const double p = std::clamp(.5 + of_seed + of_scene, 0.0, 1.0);
      for (std::size_t k = 0; k < 8; ++k)
        out[s][i] += {coin(mix_bits(key + 3), (s * scenes + i) * 8 + k, p) ? 1.0 : 0.0, 1.0};
    }
  }
  return out;
}

double share_covered(const Regime& regime, int trials, bool paired) {
  int covered = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const std::uint64_t key = mix_bits(std::uint64_t(trial) + 1000);
    const RatioTable a = simulate(key, regime, 5, key);
    // The other condition has the same scenes, as hard as for the first, and seeds of its own.
    const auto i = paired ? difference_interval(a, simulate(mix_bits(key + 9), regime, 5, key))
                          : ratio_interval(a);
    const double truth = paired ? 0 : .5;
    covered += i->low <= truth && truth <= i->high;
  }
  return double(covered) / trials;
}

}  // namespace

TEST_CASE("95 % intervals over five seeds cover the truth in every regime", "[coverage]") {
  for (const auto& regime : regimes) {
    INFO(regime.name);
    const double share = share_covered(regime, 2000, false);
    CHECK(share >= .93);  // its standard error is half a percent
    CHECK(share <= .99);
    CHECK(share_covered(regime, 1000, true) >= .93);
  }
}

TEST_CASE("95 % intervals over five seeds cover the truth, with more studies", "[coverage][slow]") {
  for (const auto& regime : regimes)
    for (const bool paired : {false, true}) {
      INFO(regime.name << (paired ? ", differences" : ""));
      CHECK(share_covered(regime, 20000, paired) >= .94);
    }
}

}  // namespace test_coverage
