// SPDX-License-Identifier: MIT
// Verdicts, Holm's correction, and claims as data.
#include "phyx/results/decision.hpp"

#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/results/claims.hpp"
#include "phyx/results/student.hpp"
#include "tests/study_claims.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_decision {

using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::study_claims;

namespace {

/// A difference with this standard error and 4 degrees of freedom (t = 2.776 at 95 %, 2.132 at 90
/// %).
Interval difference(double value, double error) {
  Interval i{value, value - 2.7764451 * error, value + 2.7764451 * error, error, 4, 5,
             100,   Basis::seeds_and_scenes};
  return i;
}

}  // namespace

TEST_CASE("one rule: above, below, equivalent, undecided", "[decision]") {
  // Error .01: the 95 % interval is +- .0278, the 90 % interval +- .0213.
  CHECK(decide(difference(.058, .01), .03) == Verdict::above);
  CHECK(decide(difference(.057, .01), .03) == Verdict::undecided);
  CHECK(decide(difference(-.058, .01), .03) == Verdict::below);
  CHECK(decide(difference(-.057, .01), .03) == Verdict::undecided);
  CHECK(decide(difference(.0086, .01), .03) == Verdict::equivalent);
  CHECK(decide(difference(-.0086, .01), .03) == Verdict::equivalent);
  CHECK(decide(difference(.0088, .01), .03) == Verdict::undecided);
  CHECK(decide(difference(0, .015), .03) == Verdict::undecided);        // +- .0320 at 90 %
  CHECK(decide(difference(.0115, .0034), .03) == Verdict::equivalent);  // +.2 to +2.1: one verdict
  CHECK(decide(difference(.03, .01), 0) == Verdict::above);
  CHECK(decide(difference(0, .0001), 0) == Verdict::undecided);
  CHECK_THROWS_AS(decide(difference(0, 1), -.01), gaze::Error);
  const Interval ninety = at_level(difference(.1, .01), .9);
  CHECK(ninety.high == Catch::Approx(.1 + .01 * 2.1318467863));
}

TEST_CASE("a degenerate or unknown interval gives no verdict", "[decision]") {
  for (const Basis basis : {Basis::degenerate, Basis::unknown}) {
    Interval i = difference(.5, .01);
    i.basis = basis;
    CHECK(decide(i, .03) == Verdict::undecided);
    i = {.5, .5, .5, 0, 0, 5, 100, basis};
    CHECK(decide(i, .03) == Verdict::undecided);
    CHECK(holm(std::vector<Comparison>{{i, .03}})[0].verdict == Verdict::undecided);
    CHECK_THROWS_AS(at_level(i, .9), gaze::Error);
  }
  // 0 of n on both sides: not "equivalent".
  const RatioTable none(2, std::vector<Ratio>(30, Ratio{0, 1}));
  CHECK(decide(*difference_interval(none, none), .03) == Verdict::undecided);
}

TEST_CASE("Holm's p-values agree with a hand-computed example", "[decision]") {
  // Sorted: .005 x 4, .01 x 3, .03 x 2, .04 x 1 = .02, .03, .06, .04 -> .06.
  const std::vector<double> p = {.01, .04, .03, .005};
  const auto adjusted = holm(std::span<const double>(p));
  CHECK(adjusted[0] == Catch::Approx(.03));
  CHECK(adjusted[1] == Catch::Approx(.06));
  CHECK(adjusted[2] == Catch::Approx(.06));
  CHECK(adjusted[3] == Catch::Approx(.02));
  const std::vector<double> large = {.9, .8};
  CHECK(holm(std::span<const double>(large))[1] == 1);
  const std::vector<double> bad = {1.5};
  CHECK_THROWS_AS(holm(std::span<const double>(bad)), gaze::Error);
  CHECK(holm(std::span<const double>()).empty());
}

TEST_CASE("the declared comparisons share an error of five percent", "[decision]") {
  const Interval weak = difference(.06, .01);  // p = .04 alone
  CHECK(decide(weak, .03) == Verdict::above);
  const double p = 2 * student_cdf(-3, 4);
  CHECK(p == Catch::Approx(.0399).margin(1e-4));
  CHECK(holm(std::vector<Comparison>{{weak, .03}})[0].p == Catch::Approx(p));
  std::vector<Comparison> family(3, {weak, .03});
  for (const auto& d : holm(family)) {
    CHECK(d.verdict == Verdict::undecided);
    CHECK(d.p == Catch::Approx(3 * p));
  }
  family.push_back({difference(.9, .01), .03});
  family.push_back({difference(0, .001), .03});
  const auto all = holm(family);
  CHECK(all[0].verdict == Verdict::undecided);
  CHECK(all[3].verdict == Verdict::above);
  CHECK(all[4].verdict == Verdict::equivalent);
}

TEST_CASE("claims survive the round trip, and bad ones are refused by field", "[claims]") {
  const auto json = claims_to_json(study_claims());
  const auto back = claims_from_json(json, "study.json");
  REQUIRE(back.size() == study_claims().size());
  CHECK(claims_to_json(back) == json);
  for (const auto& c : back) CHECK(c.margin == .03);
  const auto error = [&](const std::string& key, const gaze::io::Json& value) {
    auto changed = json;
    changed[1][key] = value;
    return error_of([&] { claims_from_json(changed, "study.json"); });
  };
  CHECK(contains(error("margins", .1), "study.json, claim 2: unknown field 'margins'"));
  CHECK(contains(error("margin", -.1), "claim 2, margin: must not be negative"));
  CHECK(contains(error("margin", "3"), "claim 2, margin: not a number"));
  CHECK(contains(error("expected", "undecided"), "claim 2, expected: 'undecided'"));
  CHECK(contains(error("expected", "more"), "claim 2, expected: 'more'"));
  CHECK(contains(error("slice", {{"kinds", "x"}}), "claim 2, slice: unknown field 'kinds'"));
  CHECK(contains(error("id", json[0]["id"]), "claim 2: id 'grpo-sft-mc' appears twice"));
  auto short_one = json;
  short_one[0].erase("metric");
  CHECK(contains(error_of([&] { claims_from_json(short_one, "s"); }), "s, claim 1: no 'metric'"));
  CHECK(contains(error_of([] { claims_from_json(3, "s"); }), "s: not a list"));
}

}  // namespace test_decision
