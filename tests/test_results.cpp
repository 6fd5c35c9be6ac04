// SPDX-License-Identifier: MIT
// Outcomes, their summary, results.csv, and the verdicts derived from it.
#include "phyx/results/summary.hpp"

#include "phyx/report/findings.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_results {

using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;

namespace {

Attempt attempt(bool correct) {
  Attempt a;
  a.correct = a.parsed = a.official = a.well_formed = correct;
  a.attention = 0.25f;
  a.length = 12;
  return a;
}

/// Problem i; `right` of 4 samples are right.
Outcome outcome(int i, int right, bool greedy) {
  Outcome o;
  o.index = std::to_string(i);
  o.form = i % 2 ? Form::mc : Form::oe;
  o.split = i % 5 == 0 ? "new" : "known";
  o.domain = domains[std::size_t(i) % 6];
  o.subfield = "Kinematics";
  o.reasoning = {reasoning_types[std::size_t(i) % 6]};
  o.template_id = "t" + std::to_string(i % 3);
  o.needs_image = i % 3 != 0;
  o.greedy = attempt(greedy);
  for (int s = 0; s < 4; ++s) o.sampled.push_back(attempt(s < right));
  o.blank.sampled = {false, i % 4 == 0};
  o.swapped.greedy = i % 4 == 0;
  return o;
}

std::vector<Outcome> outcomes(int n, int right, bool greedy) {
  std::vector<Outcome> out;
  for (int i = 0; i < n; ++i) out.push_back(outcome(i, (right + i) % 5, greedy && i % 2));
  return out;
}

const ResultRow& row(const std::vector<ResultRow>& rows, std::string_view condition,
                     std::string_view seed, std::string_view metric,
                     std::string_view kind = "overall", std::string_view slice = "all",
                     std::string_view split = "all", std::string_view format = "all") {
  for (const auto& r : rows)
    if (r.condition == condition && r.seed == seed && r.metric == metric && r.slice_kind == kind &&
        r.slice == slice && r.split == split && r.format == format)
      return r;
  FAIL("no row " << condition << " " << seed << " " << metric << " " << slice);
  return rows.front();
}

/// A pooled difference on the known templates.
ResultRow difference(const std::string& condition, const std::string& metric, double low,
                     double high, const std::string& kind = "overall",
                     const std::string& slice = "all", const std::string& format = "all") {
  return {condition, "all", "known", format, kind, slice, metric, 100, (low + high) / 2, low, high};
}

const Finding& finding(const std::vector<Finding>& all, std::string_view part) {
  for (const auto& f : all)
    if (f.claim.find(part) != std::string::npos) return f;
  FAIL("no finding about " << part);
  return all.front();
}

}  // namespace

TEST_CASE("outcomes survive the round trip", "[results]") {
  OutcomeSet set{"accuracy", 3, {outcome(1, 2, true), outcome(2, 0, false)}};
  set.outcomes[0].sampled[1].attention = std::numeric_limits<float>::quiet_NaN();
  set.outcomes[1].domain = "a \"quoted\"\nname";
  const Folder folder("results");
  const std::string path = folder.file("outcomes.jsonl");
  write_outcomes(path, set);
  const OutcomeSet back = read_outcomes(path);
  CHECK(back.condition == "accuracy");
  CHECK(back.seed == 3);
  REQUIRE(back.outcomes.size() == 2);
  const Outcome& o = back.outcomes[0];
  CHECK(o.form == Form::mc);
  CHECK(o.greedy.correct);
  REQUIRE(o.sampled.size() == 4);
  CHECK(o.sampled[1].correct);
  CHECK_FALSE(o.sampled[2].correct);
  CHECK(std::isnan(o.sampled[1].attention));
  CHECK(o.sampled[0].attention == Catch::Approx(0.25));
  CHECK(o.sampled[0].length == 12);
  CHECK_FALSE(o.blank.greedy.has_value());
  CHECK(o.swapped.greedy == false);
  CHECK(back.outcomes[1].domain == set.outcomes[1].domain);
}

TEST_CASE("a damaged outcomes file is refused with line and field", "[results]") {
  const Folder folder("results");
  const std::string path = folder.file("bad.jsonl");
  const std::string head = "{\"condition\":\"sft\",\"seed\":0}\n";
  const auto error = [&](const std::string& text) {
    gaze::io::write_file(path, text);
    return error_of([&] { read_outcomes(path); });
  };
  CHECK(contains(error(""), "empty"));
  CHECK(contains(error(head + "{\"index\":\"1\",\"fo"), "bad.jsonl line 2"));
  auto value = outcome_to_json(outcome(1, 1, true));
  value["sampled"]["parsed"] = {1, 2, 0, 0};
  CHECK(contains(error(head + value.dump()), "line 2, sampled, parsed: expected 0 or 1, got 2"));
  value = outcome_to_json(outcome(1, 1, true));
  value["form"] = "XX";
  CHECK(contains(error(head + value.dump()), "line 2, form: XX"));
  value.erase("form");
  CHECK(contains(error(head + value.dump()), "line 2, form: missing"));
}

TEST_CASE("the summary agrees with hand-counted values", "[results]") {
  // 10 problems; problem i has i % 5 right of 4 samples; greedy right on odd ones.
  const Outcomes all = {{{"sft", 0}, outcomes(10, 0, false)},
                        {{"accuracy", 0}, outcomes(10, 0, true)}};
  const auto rows = summarise(all);
  CHECK(row(rows, "accuracy", "0", "accuracy_greedy").value == Catch::Approx(0.5));
  const auto& sampled = row(rows, "accuracy", "all", "accuracy_sampled");
  CHECK(sampled.n == 10);
  CHECK(sampled.value == Catch::Approx(20.0 / 40));
  CHECK(sampled.low < 0.5);
  CHECK(sampled.high > 0.5);
  CHECK(row(rows, "accuracy", "all", "pass@1").value == Catch::Approx(0.5));
  // Counts of right samples 0..4, twice: pass@2 is the mean of 0, 1/2, 5/6, 1, 1.
  CHECK(row(rows, "accuracy", "all", "pass@2").value == Catch::Approx((0.5 + 5.0 / 6 + 2) / 5));
  CHECK(row(rows, "accuracy", "all", "pass@4").value == Catch::Approx(0.8));
  // Readable answers are the right ones here, so among them all are right.
  CHECK(row(rows, "accuracy", "all", "accuracy_parsed_sampled").value == Catch::Approx(1));
  CHECK(row(rows, "accuracy", "all", "accuracy_parsed_greedy").n == 5);
  CHECK(row(rows, "accuracy", "all", "length").value == Catch::Approx(12));
  CHECK(row(rows, "accuracy", "all", "attention_image").value == Catch::Approx(0.25));
  CHECK(row(rows, "accuracy", "all", "accuracy_blank").value == Catch::Approx(3.0 / 20));
  CHECK(row(rows, "accuracy", "all", "accuracy_swapped_greedy").value == Catch::Approx(0.3));
  CHECK(row(rows, "accuracy", "all", "accuracy_greedy", "overall", "all", "all", "MC").value ==
        Catch::Approx(1));
  CHECK(row(rows, "accuracy", "all", "accuracy_greedy", "overall", "all", "new").n == 2);
  CHECK(row(rows, "accuracy", "all", "accuracy_sampled", "template", "t0").n == 4);
  const auto& gain = row(rows, "accuracy", "all", "accuracy_greedy_vs_sft");
  CHECK(gain.value == Catch::Approx(0.5));
  CHECK(gain.low > 0);
  CHECK(row(rows, "accuracy", "all", "accuracy_sampled_vs_sft").high == 0);  // the same samples
  CHECK(row(rows, "sft", "all", "accuracy_greedy").high > 0.2);  // none of 10: Wilson, not 0 to 0
}

TEST_CASE("seeds are pooled, and runs are paired by seed", "[results]") {
  const Outcomes all = {{{"sft", 0}, outcomes(30, 0, false)},
                        {{"format", 0}, outcomes(30, 0, true)},
                        {{"format", 1}, outcomes(30, 0, false)}};
  const auto rows = summarise(all);
  CHECK(row(rows, "format", "0", "accuracy_greedy").value == Catch::Approx(0.5));
  CHECK(row(rows, "format", "1", "accuracy_greedy").value == 0);
  const auto& pooled = row(rows, "format", "all", "accuracy_greedy");
  CHECK(pooled.value == Catch::Approx(0.25));
  CHECK(pooled.n == 30);
  CHECK(pooled.low == 0);  // both seeds may be the bad one
  CHECK(row(rows, "format", "all", "accuracy_greedy_vs_sft").value == Catch::Approx(0.25));
  auto twice = all;
  twice.begin()->second.push_back(twice.begin()->second.front());
  CHECK(contains(error_of([&] { summarise(twice); }), "occurs twice"));
}

TEST_CASE("a problem missing from one run does not count as wrong", "[results]") {
  const Outcomes all = {{{"sft", 0}, outcomes(20, 0, true)},
                        {{"format", 0}, outcomes(10, 0, true)}};
  const auto rows = summarise(all);
  const auto& part = row(rows, "format", "all", "accuracy_greedy");
  CHECK(part.n == 10);
  CHECK(part.value == Catch::Approx(0.5));
}

TEST_CASE("results.csv survives the round trip", "[results]") {
  std::vector<ResultRow> rows = summarise({{{"sft", 0}, outcomes(12, 1, true)}});
  rows.push_back(
      {"odd, \"name\"", "all", "new", "MC", "template", "two\nlines", "m", 3, 0.1, -1, 2});
  const Folder folder("results");
  const std::string path = folder.file("results.csv");
  write_results(path, rows);
  const auto back = read_results(path);
  REQUIRE(back.size() == rows.size());
  CHECK(back.back().condition == "odd, \"name\"");
  CHECK(back.back().slice == "two\nlines");
  CHECK(back.back().low == -1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(back[i].metric == rows[i].metric);
    CHECK(back[i].n == rows[i].n);
    CHECK(back[i].value == Catch::Approx(rows[i].value).epsilon(1e-6));
  }
}

TEST_CASE("a damaged results.csv is refused with its line", "[results]") {
  const std::string head = std::string(results_header) + "\n";
  const auto error = [](const std::string& text) {
    return error_of([&] { results_from_csv(text, "r.csv"); });
  };
  CHECK(contains(error("a,b\n"), "r.csv line 1: expected the header"));
  CHECK(contains(error(""), "r.csv: empty"));
  CHECK(contains(error(head + "sft,0,all,all,overall,all,m,1,0.5,0.4\n"), "line 2: 10 fields"));
  CHECK(contains(error(head + "sft,0,all,all,overall,\"a\nb\",m,1,0.5,0.4,0.6\n"
                              "sft,0,all,all,overall,all,m,1,x,0.4,0.6\n"),
                 "line 4, value: 'x' is not a number"));
  CHECK(contains(error(head + "sft,\"0,all\n"), "line 2: unterminated quote"));
  CHECK(contains(error(head + "sft,0,all,all,overall,all,m,1,inf,0,1\n"), "not finite"));
  CHECK(results_from_csv(head, "r.csv").empty());
  const auto windows =
      results_from_csv(head + "sft,0,all,all,overall,all,m,1,0.5,0.4,0.6\r\n", "r");
  CHECK(windows.at(0).high == Catch::Approx(0.6));
}

TEST_CASE("verdicts follow the intervals", "[findings]") {
  const std::string spatial = "Spatial Relation Reasoning", vs_sft = "accuracy_sampled_vs_sft";
  const std::vector<ResultRow> rows = {
      difference("accuracy", vs_sft, 0.05, 0.15, "overall", "all", "MC"),
      difference("accuracy", vs_sft, 0.01, 0.09, "overall", "all", "OE"),
      difference("accuracy", vs_sft, 0.04, 0.10),
      difference("accuracy", "accuracy_greedy_vs_sft", -0.02, 0.02),
      difference("rubric", "principle_vs_sft", 0.1, 0.2),
      difference("rubric", "unit_vs_sft", -0.01, 0.2),
      difference("rubric", "accuracy_sampled_vs_accuracy", -0.04, 0.01),
      difference("attention", vs_sft, -0.02, 0.08, "reasoning", spatial),
      difference("attention", "accuracy_sampled_vs_accuracy", -0.09, -0.01, "reasoning", spatial),
      difference("hybrid", "accuracy_sampled_vs_accuracy", 0.01, 0.05, "reasoning", spatial),
      difference("hybrid", "accuracy_sampled_vs_accuracy", -0.02, 0.03, "needs_image", "no"),
      difference("format", vs_sft, -0.02, 0.02)};
  const auto all = decide_findings(rows);
  CHECK(finding(all, "in both formats").verdict == Agreement::agree);
  CHECK(finding(all, "structured reasoning").verdict == Agreement::undecided);  // unit includes 0
  CHECK(finding(all, "without a consistent gain").verdict == Agreement::agree);
  CHECK(finding(all, "lifts spatial").verdict == Agreement::undecided);
  CHECK(finding(all, "better than the accuracy reward").verdict == Agreement::no);
  CHECK(finding(all, "degrades symbolic").verdict == Agreement::undecided);
  CHECK(contains(finding(all, "degrades symbolic").here, "not measured"));
  const Finding& ability = finding(all, "new ability");
  CHECK(ability.verdict == Agreement::no);
  CHECK(contains(ability.here, "choice of modes"));
  CHECK(verdict_text(ability) == "no");
  CHECK(finding(all, "hybrid").verdict == Agreement::agree);
  CHECK(finding(all, "format alone").verdict == Agreement::agree);
  CHECK(verdict_text(finding(all, "in both formats")) == "agrees");
  CHECK(contains(finding(all, "in both formats").here, "+10.0 [5.0, 15.0] points"));
}

TEST_CASE("without measurements everything is undecided", "[findings]") {
  for (const auto& f : decide_findings({})) CHECK(f.verdict == Agreement::undecided);
}

TEST_CASE("most domains means more than half of them", "[findings]") {
  const auto verdict = [](int up, int flat) {
    std::vector<ResultRow> rows;
    for (int d = 0; d < 6; ++d) {
      const double low = d < up ? 0.01 : -0.05;
      const double high = d < up ? 0.1 : d < up + flat ? 0.01 : 0.1;
      rows.push_back(difference("accuracy", "accuracy_sampled_vs_sft", low, high, "domain",
                                domains[std::size_t(d)]));
    }
    return finding(decide_findings(rows), "most domains").verdict;
  };
  CHECK(verdict(4, 0) == Agreement::agree);
  CHECK(verdict(3, 0) == Agreement::undecided);
  CHECK(verdict(2, 3) == Agreement::no);
}

TEST_CASE("results.csv may begin with a byte order mark", "[results]") {
  const std::string text =
      results_to_csv({{"sft", "0", "all", "MC", "overall", "all", "x", 3, 0.5, 0.25, 0.75}});
  const auto rows = results_from_csv("\xEF\xBB\xBF" + text, "marked.csv");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].condition == "sft");
  CHECK(rows[0].high == 0.75);
}

}  // namespace test_results
