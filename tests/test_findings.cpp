// SPDX-License-Identifier: MIT
// The comparison with the study: every row by one rule.
#include "phyx/report/findings.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "phyx/problem.hpp"
#include "tests/study_claims.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_findings {

using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::study_claims;

namespace {

const std::string spatial = "Spatial Relation Reasoning", vs_sft = "accuracy_sampled_vs_sft",
                  vs_accuracy = "accuracy_sampled_vs_accuracy";

/// A pooled difference on the known templates with a normal 95 % interval.
ResultRow difference(const std::string& condition, const std::string& metric, double low,
                     double high, const std::string& kind = "overall",
                     const std::string& slice = "all", const std::string& format = "all") {
  return {condition,
          "all",
          "known",
          format,
          kind,
          slice,
          metric,
          100,
          (low + high) / 2,
          low,
          high,
          100,
          5,
          (high - low) / 2 / 1.96,
          1e6,
          Basis::seeds_and_scenes};
}

const Finding& finding(const std::vector<Finding>& all, std::string_view id) {
  for (const auto& f : all)
    if (f.id == id) return f;
  FAIL("no finding " << id);
  return all.front();
}

/// Claims of the default study, as if no others had been declared.
std::vector<Claim> claims(const std::vector<std::string_view>& ids) {
  std::vector<Claim> out;
  for (const auto& c : study_claims())
    if (std::find(ids.begin(), ids.end(), c.id) != ids.end()) out.push_back(c);
  return out;
}

/// The text of one claim's agreement, from one row.
std::string decided(const ResultRow& row, std::string_view id) {
  return agreement_text(decide_findings({row}, claims({id})).at(0));
}

}  // namespace

TEST_CASE("verdicts follow one rule", "[findings]") {
  // Between +.2 and +2.1 points: inside the margin, so equivalent, not a gain.
  const auto rubric = difference("rubric", vs_accuracy, .002, .021);
  CHECK(decided(rubric, "rubric-accuracy") == "agrees");
  CHECK(decided(difference("rubric", vs_accuracy, .031, .06), "rubric-accuracy") ==
        "does not agree");
  CHECK(decided(difference("rubric", vs_accuracy, -.04, .01), "rubric-accuracy") == "undecided");
  const auto on_mc = [](double low, double high) {
    return difference("accuracy", vs_sft, low, high, "overall", "all", "MC");
  };
  CHECK(decided(on_mc(.05, .15), "grpo-sft-mc") == "agrees");
  CHECK(decided(on_mc(.002, .021), "grpo-sft-mc") == "does not agree");  // equivalent
  CHECK(decided(on_mc(.01, .15), "grpo-sft-mc") == "undecided");         // not above the margin
  CHECK(decided(on_mc(-.15, -.05), "grpo-sft-mc") == "does not agree");
  const auto greedy = difference("accuracy", "accuracy_greedy_vs_sft", -.02, .02);
  CHECK(decided(greedy, "ability") == "no");
  CHECK(decided(difference("format", vs_sft, -.02, .02), "format-alone") == "yes");
  const auto symbolic = difference("attention", vs_sft, -.2, -.05, "needs_image", "no");
  CHECK(decided(symbolic, "attention-symbolic") == "agrees");
  CHECK(contains(decide_findings({on_mc(.05, .15)}, claims({"grpo-sft-mc"})).at(0).here,
                 "accuracy − sft: +10.0 [5.0, 15.0] points: above the margin of 3, p = 0.006."));
}

TEST_CASE("the spoilt start and clean supervised training stand beside each other", "[findings]") {
  const auto all = decide_findings(
      {difference("accuracy", vs_sft, .06, .14, "overall", "all", "MC"),
       difference("accuracy", "accuracy_sampled_vs_sft_clean", -.12, -.06, "overall", "all", "MC")},
      claims({"grpo-sft-mc", "grpo-clean-mc"}));
  CHECK(agreement_text(finding(all, "grpo-sft-mc")) == "agrees");
  CHECK(agreement_text(finding(all, "grpo-clean-mc")) == "does not agree");
}

TEST_CASE("a spatial gain that other rewards share is not specific", "[findings]") {
  const auto on_spatial = [](const std::string& metric, double low, double high) {
    return difference("attention", metric, low, high, "reasoning", spatial);
  };
  const auto all = decide_findings(
      {on_spatial(vs_sft, .06, .09), on_spatial(vs_accuracy, -.01, .01),
       on_spatial("accuracy_sampled_vs_format", -.03, .05)},
      claims({"attention-spatial", "attention-spatial-accuracy", "attention-spatial-format"}));
  CHECK(agreement_text(finding(all, "attention-spatial")) == "agrees");
  CHECK(agreement_text(finding(all, "attention-spatial-accuracy")) == "does not agree");
  CHECK(agreement_text(finding(all, "attention-spatial-format")) == "undecided");
}

TEST_CASE("symbolic means templates that the text alone decides", "[findings]") {
  for (const auto& c : study_claims()) {
    CHECK(c.slice.name != "Numerical Reasoning");
    if (!contains(c.id, "symbolic")) continue;
    CHECK(c.slice.kind == "needs_image");
    CHECK(c.slice.name == "no");
  }
}

TEST_CASE("many comparisons need stronger evidence than one", "[findings]") {
  // Alone, 3.1 to 9.0 points exceed the margin; among three such, Holm's p is three times as large.
  std::vector<ResultRow> rows = {difference("accuracy", vs_sft, .031, .09, "overall", "all", "MC")};
  CHECK(decide_findings(rows, claims({"grpo-sft-mc"}))[0].agreement == Agreement::agree);
  const auto three = claims({"grpo-sft-mc", "grpo-sft-oe", "attention-spatial"});
  // Those that were declared and not measured count too.
  CHECK(decide_findings(rows, three)[0].agreement == Agreement::undecided);
  rows.push_back(difference("accuracy", vs_sft, .031, .09, "overall", "all", "OE"));
  rows.push_back(difference("attention", vs_sft, .031, .09, "reasoning", spatial));
  for (const auto& f : decide_findings(rows, three)) CHECK(f.agreement == Agreement::undecided);
}

TEST_CASE("in a grid each claim is decided at every point, in one family", "[findings]") {
  const auto at = [](const std::string& point, double low, double high) {
    return difference("accuracy" + point, vs_sft, low, high, "overall", "all", "MC");
  };
  const std::vector<ResultRow> rows = {at(", grpo.rate=0.1", .06, .14),
                                       at(", grpo.rate=0.2", .031, .09)};
  const auto all = decide_findings(rows, claims({"grpo-sft-mc"}));
  REQUIRE(all.size() == 2);
  CHECK(all[0].point == "grpo.rate=0.1");
  CHECK(all[0].agreement == Agreement::agree);
  CHECK(all[1].point == "grpo.rate=0.2");
  CHECK(all[1].agreement == Agreement::agree);  // the last step of Holm's: its own p
  const auto more = decide_findings(rows, claims({"grpo-sft-mc", "grpo-sft-oe"}));
  CHECK(more.size() == 4);
  CHECK(more[1].agreement == Agreement::undecided);
}

TEST_CASE("degenerate intervals are undecided, and one seed is said", "[findings]") {
  ResultRow r = difference("format", vs_sft, 0, 0);
  r.error = r.df = 0;
  r.basis = Basis::degenerate;
  const auto flat = decide_findings({r}, study_claims());
  CHECK(agreement_text(finding(flat, "format-alone")) == "undecided");
  CHECK(contains(finding(flat, "format-alone").here, "no spread, so no verdict"));
  r = difference("format", vs_sft, -.01, .01);
  r.seeds = 1;
  r.basis = Basis::scenes;
  CHECK(contains(finding(decide_findings({r}, study_claims()), "format-alone").here,
                 "one seed: the interval covers scenes only"));
}

TEST_CASE("without measurements everything is undecided", "[findings]") {
  for (const auto& f : decide_findings({}, study_claims())) {
    CHECK(f.agreement == Agreement::undecided);
    CHECK(f.here == "Not measured.");
  }
}

TEST_CASE("most domains means more than half of them", "[findings]") {
  const auto verdict = [](int above, int equivalent) {
    std::vector<ResultRow> rows;
    for (int d = 0; d < 6; ++d) {
      const double low = d < above ? .06 : d < above + equivalent ? -.01 : -.05;
      const double high = d < above ? .1 : d < above + equivalent ? .01 : .1;
      rows.push_back(difference("accuracy", vs_sft, low, high, "domain", domains[std::size_t(d)]));
    }
    return decide_findings(rows, claims({"domains"})).at(0).agreement;
  };
  CHECK(verdict(4, 0) == Agreement::agree);
  auto flat = difference("accuracy", vs_sft, 0, 0, "domain", domains[1]);
  flat.basis = Basis::degenerate;
  auto single = difference("accuracy", vs_sft, .06, .1, "domain", domains[2]);
  single.seeds = 1;
  const auto mixed =
      decide_findings({difference("accuracy", vs_sft, .06, .1, "domain", domains[0]), flat, single},
                      claims({"domains"}));
  CHECK(contains(mixed[0].here, "Electromagnetism: no spread, so no verdict"));
  CHECK(contains(mixed[0].here, "Thermodynamics: one seed"));
  CHECK(contains(mixed[0].here, "(above, p < 0.001)"));
  CHECK(verdict(3, 0) == Agreement::undecided);
  CHECK(verdict(2, 3) == Agreement::no);
}

TEST_CASE("a study decides its own claims with its own margins", "[findings]") {
  const std::vector<Claim> claims = {
      {"x", "Does mine gain?", "mine", "yours", "pass@64", {}, Verdict::above, .05}};
  const std::vector<ResultRow> rows = {difference("mine", "pass@64_vs_yours", .04, .09)};
  CHECK(decide_findings(rows, claims).at(0).agreement == Agreement::undecided);
  auto looser = claims;
  looser[0].margin = 0;
  CHECK(agreement_text(decide_findings(rows, looser).at(0)) == "yes");
}

}  // namespace test_findings
