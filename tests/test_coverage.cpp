// SPDX-License-Identifier: MIT
// Simulated studies: how often 95 % intervals over five seeds cover the truth, and how often a
// difference at the margin is called equivalent.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "phyx/hash.hpp"
#include "phyx/results/decision.hpp"
#include "phyx/results/statistics.hpp"
#include "tests/draws.hpp"
#include "tests/test.hpp"

namespace test_coverage {

using namespace gaze::phyx;
using gaze::test::coin;
using gaze::test::draw_normal;

namespace {

/// Standard deviations of the probability of a right answer. `interaction`: of a scene's own, drawn
/// for each condition, so that some scenes gain by a reward and others lose.
struct Regime {
  std::string name;
  double seeds, scenes, interaction = 0;
};

/// Errors of means over 5 seeds and 60 scenes: seeds .045 against scenes .005 (and .011 from the
/// samples), .002 against .028, .022 against .028. The last one's difference has an error of .026
/// from the interaction and .014 from the seeds.
const std::array<Regime, 4> regimes = {{{"seeds dominate", .10, .04},
                                        {"scenes dominate", .005, .22},
                                        {"both", .05, .22},
                                        {"scenes by conditions", .02, .16, .14}}};

/// One condition of a study: two forms of each scene with four samples each. The mean probability
/// is exactly 1/2, since limiting it to 0 to 1 is symmetric.
RatioTable simulate(std::uint64_t key, const Regime& regime, std::size_t seeds,
                    std::uint64_t scene_key) {
  constexpr std::size_t scenes = 60;
  RatioTable out(seeds, std::vector<Ratio>(scenes));
  for (std::size_t s = 0; s < seeds; ++s) {
    const double of_seed = regime.seeds * draw_normal(mix_bits(key + 1), s);
    for (std::size_t i = 0; i < scenes; ++i) {
      const double of_scene = regime.scenes * draw_normal(mix_bits(scene_key + 2), i) +
                              regime.interaction * draw_normal(mix_bits(key + 4), i);
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

/// What is drawn as a whole: one answer, a scene in one seed, or a scene in all seeds.
enum class Unit { answer, scene_and_seed, scene };

/// 100 scenes with 8 answers each, right with probability p.
RatioTable rare(std::uint64_t key, std::size_t seeds, Unit unit, double p) {
  constexpr std::size_t scenes = 100, answers = 8;
  RatioTable out(seeds, std::vector<Ratio>(scenes));
  for (std::size_t s = 0; s < seeds; ++s)
    for (std::size_t i = 0; i < scenes; ++i)
      for (std::size_t k = 0; k < answers; ++k) {
        const std::uint64_t scene = unit == Unit::scene ? i : s * scenes + i;
        out[s][i] +=
            {coin(key, unit == Unit::answer ? scene * answers + k : scene, p) ? 1. : 0., 1};
      }
  return out;
}

/// How often a condition that is right with probability p + .03 is called equivalent within .03 to
/// one that is right with probability p.
double called_equivalent(std::size_t seeds, Unit unit, double p, int trials) {
  int wrong = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const std::uint64_t key = mix_bits(std::uint64_t(trial) + 5000);
    const auto i = difference_interval(rare(key, seeds, unit, p + .03),
                                       rare(mix_bits(key + 1), seeds, unit, p), true);
    wrong += decide(*i, .03) == Verdict::equivalent;
  }
  return double(wrong) / trials;
}

}  // namespace

TEST_CASE("a difference at the margin is rarely called equivalent", "[coverage][slow]") {
  constexpr int trials = 4000;
  for (const std::size_t seeds : {std::size_t(1), std::size_t(5)})
    for (const Unit unit : {Unit::answer, Unit::scene_and_seed, Unit::scene})
      for (const double p : {0.0, .01, .04, .3, .96, .97}) {
        INFO(seeds << " seeds, unit " << int(unit) << ", p = " << p);
        CHECK(called_equivalent(seeds, unit, p, trials) <= .05 + .01);  // three standard errors
      }
}

TEST_CASE("one rare success among a hundred scenes is no equivalence", "[coverage]") {
  // True differences of 3 points leave at most one scene right in 19 % of all studies.
  CHECK(called_equivalent(1, Unit::scene, 0, 400) <= .08);
  RatioTable none(1, std::vector<Ratio>(100, {0, 8})), one = none;
  one[0][7] = {1, 8};
  CHECK(decide(*difference_interval(one, none, true), .03) == Verdict::undecided);
  one[0][7] = {8, 8};
  CHECK(decide(*difference_interval(one, none), .03) == Verdict::undecided);
}

TEST_CASE("differences that cancel over seeds are not rare ones", "[coverage]") {
  // In each seed the answers to most scenes differ; of the sums over 50 seeds little is left.
  const auto i =
      difference_interval(rare(1, 50, Unit::answer, .5), rare(2, 50, Unit::answer, .5), true);
  CHECK(i->basis == Basis::seeds_and_scenes);
  CHECK(i->high - i->low < .05);
  // Three scenes that differ in every seed are rare.
  RatioTable none(5, std::vector<Ratio>(100, {0, 8})), three = none;
  for (auto& seed : three)
    for (const std::size_t scene : {1, 2, 3}) seed[scene] = {8, 8};
  CHECK(difference_interval(three, none, true)->basis == Basis::wilson);
}

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
