// SPDX-License-Identifier: MIT
// Outcomes, their summary, and results.csv.
#include "phyx/results/summary.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "phyx/results/decision.hpp"
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
  CHECK(std::isnan(o.sampled[0].look_score));
  CHECK_FALSE(o.layout_only);
}

TEST_CASE("look scores, look facts, rewards and layout-only marks survive the round trip",
          "[results]") {
  Outcome o = outcome(1, 2, true);
  o.layout_only = true;
  o.sampled[1].look_score = .75f;
  o.sampled[2].look_facts = 3;
  o.sampled[2].look_right = 2;
  o.sampled[3].rewards["hybrid"] = 1.25f;
  const Outcome back = outcome_from_json(outcome_to_json(o), "o");
  CHECK(back.layout_only);
  CHECK(back.sampled[1].look_score == .75f);
  CHECK(std::isnan(back.sampled[0].look_score));
  CHECK(back.sampled[2].look_facts == 3);
  CHECK(back.sampled[2].look_right == 2);
  CHECK(back.sampled[3].rewards == o.sampled[3].rewards);
  CHECK(back.sampled[0].rewards.empty());
  auto value = outcome_to_json(o);
  CHECK_FALSE(value["greedy"].contains("look_score"));
  value["sampled"]["look_right"][2] = 4;
  CHECK(contains(error_of([&] { outcome_from_json(value, "o"); }), "look_right: 4 of 3 facts"));
  value["sampled"]["rewards"]["hybrid"] = {1};
  value["sampled"]["look_right"][2] = 1;
  CHECK(contains(error_of([&] { outcome_from_json(value, "o"); }),
                 "sampled, rewards, hybrid: length differs"));
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
  const auto& same = row(rows, "accuracy", "all", "accuracy_sampled_vs_sft");  // the same samples
  CHECK(same.high == 0);
  CHECK(same.basis == Basis::degenerate);
  const auto& none = row(rows, "sft", "all", "accuracy_greedy");
  CHECK(none.high > 0.2);  // none of 10: Wilson, not 0 to 0
  CHECK(none.basis == Basis::degenerate);
}

TEST_CASE("new metrics agree with hand-counted values", "[results]") {
  Outcome o = outcome(1, 2, true);  // samples right, right, wrong, wrong
  const float looks[] = {.8f, .6f, .2f, .4f};
  for (std::size_t s = 0; s < 4; ++s) {
    Attempt& a = o.sampled[s];
    a.well_formed = s != 1;
    a.principle = s < 3;
    a.unit = s == 1;
    a.look_score = looks[s];
    a.look_facts = 2;
    a.look_right = s == 0 ? 2 : 1;
    a.rewards["rubric"] = float(s);  // falls with correctness
  }
  o.swapped.sampled = {false, true, false, false};
  o.swapped.greedy = true;
  const auto rows = summarise({{{"sft", 0}, {o, outcome(2, 4, true), outcome(4, 0, false)}}});
  const auto value = [&](std::string_view metric) { return row(rows, "sft", "0", metric).value; };
  CHECK(value("look_score") == Catch::Approx(.5));
  CHECK(value("look_measured") == Catch::Approx(4.0 / 12));  // the other problems' are unknown
  CHECK(value("look_right") == Catch::Approx(5.0 / 8));
  // Deviations .3, .1, -.3, -.1 of the look score and .5, .5, -.5, -.5 of correctness.
  CHECK(value("look_score_correctness") == Catch::Approx(.4 / std::sqrt(.2)));
  CHECK(value("reward_rubric") == Catch::Approx(1.5));
  CHECK(value("reward_rubric_correctness") == Catch::Approx(-2 / std::sqrt(5.0)));
  // 4 right and 3 well-formed with the principle named in 2 of them: the right ones of problem 2
  // and samples 0, 2, 3 of problem 1 are well-formed, of which 0 and 2 name the principle.
  CHECK(value("principle") == Catch::Approx(3.0 / 12));
  CHECK(value("principle_well_formed") == Catch::Approx(2.0 / 7));
  CHECK(value("unit_well_formed") == 0);
  // Problem 1: 2/4 - 1/4 sampled, 1 - 1 greedy; problems 2 and 4 have a swapped greedy answer only:
  // 1 - 0 and 0 - 1.
  CHECK(value("accuracy_own_minus_swapped") == Catch::Approx(.25));
  CHECK(row(rows, "sft", "0", "accuracy_own_minus_swapped").n == 1);
  CHECK(value("accuracy_own_minus_swapped_greedy") == Catch::Approx(0).margin(1e-12));
  CHECK(value("groups_all_right") == Catch::Approx(1.0 / 3));
  CHECK(value("groups_all_wrong") == Catch::Approx(1.0 / 3));
}

TEST_CASE("pass@k goes up to the number of samples, by powers of two", "[results]") {
  Outcome o = outcome(1, 1, true), other = outcome(2, 0, false);
  for (Outcome* each : {&o, &other}) each->sampled.resize(64);
  const auto rows = summarise({{{"sft", 0}, {o, other}}});
  for (const int k : {1, 4, 16, 64})
    CHECK(row(rows, "sft", "0", "pass@" + std::to_string(k)).value == Catch::Approx(k / 128.0));
}

TEST_CASE("pass@k is that of the problems with many samples, if there are any", "[results]") {
  Outcome o = outcome(1, 1, true), other = outcome(2, 0, true);
  o.many.resize(64);
  o.many[5] = true;
  CHECK(outcome_from_json(outcome_to_json(o), "here").many == o.many);
  CHECK(outcome_from_json(outcome_to_json(other), "here").many.empty());
  SummaryOptions options;
  options.pass_at = {16, 64, 128};
  const auto rows = summarise({{{"sft", 0}, {o, other}}}, options);
  for (const int k : {1, 16, 64}) {
    const ResultRow& r = row(rows, "sft", "0", "pass@" + std::to_string(k));
    CHECK(r.value == Catch::Approx(k / 64.0));
    CHECK(r.n == 1);
  }
  CHECK(std::none_of(rows.begin(), rows.end(), [](const ResultRow& r) {
    return r.metric == "pass@2" || r.metric == "pass@128";
  }));
}

TEST_CASE("a claim about a union of templates has rows of its own, with every metric",
          "[results]") {
  std::vector<Outcome> start, after;
  for (int i = 0; i < 30; ++i)
    for (auto* list : {&start, &after}) {
      Outcome o = outcome(i, list == &after ? i % 3 : 0, true);
      o.template_id = i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c";
      list->push_back(o);
    }
  SummaryOptions options;
  options.start = "begin";
  options.claims = {{"x", "?", "end", "begin", "pass@2", {"known", "all", "template", "a+b"}}};
  const auto rows = summarise({{{"begin", 0}, start}, {{"end", 0}, after}}, options);
  const auto find = [&](const std::string& slice, const std::string& metric) {
    return std::find_if(rows.begin(), rows.end(), [&](const ResultRow& r) {
      return r.condition == "end" && r.seed == "all" && r.split == "known" && r.format == "all" &&
             r.slice_kind == "template" && r.slice == slice && r.metric == metric;
    });
  };
  REQUIRE(find("a+b", "pass@2_vs_begin") != rows.end());
  CHECK(find("a+b", "pass@2_vs_begin")->n == 16);  // the known ones of 20
  CHECK(find("a+b", "accuracy_sampled_vs_begin") != rows.end());
  CHECK(find("a", "pass@2_vs_begin") == rows.end());
}

TEST_CASE("both forms and all samples of a scene are one cluster", "[results]") {
  const auto study = [](bool both) {
    std::vector<Outcome> out;
    for (int i = 0; i < 40; ++i) {
      Outcome o = outcome(2 * i + 1, i % 4, i % 3 == 0);
      o.split = "known";
      o.form = Form::oe;
      out.push_back(o);
      o.form = Form::mc;
      if (both) out.push_back(o);
    }
    return summarise({{{"sft", 0}, out}});
  };
  const auto one = study(false), two = study(true);
  for (const char* metric : {"accuracy_greedy", "accuracy_sampled"}) {
    const auto &a = row(one, "sft", "0", metric), &b = row(two, "sft", "0", metric);
    CHECK(b.n == 80);
    CHECK(b.scenes == 40);
    CHECK(b.error == Catch::Approx(a.error));  // the second form repeats the first
    CHECK(b.basis == Basis::scenes);
    CHECK(b.seeds == 1);
  }
}

TEST_CASE("problems of one picture are one cluster", "[results]") {
  auto all = outcomes(40, 0, true);
  const auto clusters = [&] {
    return row(summarise({{{"sft", 0}, all}}), "sft", "0", "accuracy_greedy").scenes;
  };
  CHECK(clusters() == 40);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].scene = "picture" + std::to_string(i / 4);
  CHECK(clusters() == 10);
  const auto back = outcome_from_json(outcome_to_json(all[5]), "o");
  CHECK(back.scene == "picture1");
  CHECK(back.index == all[5].index);
  CHECK_FALSE(outcome_to_json(outcome(1, 1, true)).contains("scene"));
}

TEST_CASE("differences count only problems that both conditions have", "[results]") {
  auto part = outcomes(20, 0, true);
  part.resize(10);
  for (auto& o : part) o.greedy.correct = true;
  auto whole = outcomes(20, 0, false);
  for (std::size_t i = 0; i < 10; ++i) whole[i].greedy.correct = true;
  const auto rows = summarise({{{"sft", 0}, whole}, {{"format", 0}, part}});
  const auto& d = row(rows, "format", "0", "accuracy_greedy_vs_sft");
  CHECK(d.value == 0);  // means over different problems differ by a half
  CHECK(d.n == 10);
}

TEST_CASE("layout-only templates are reported apart", "[results]") {
  auto all = outcomes(30, 0, true);
  for (auto& o : all) o.layout_only = o.template_id == "t1";
  const auto rows = summarise({{{"sft", 0}, all}});
  CHECK(row(rows, "sft", "0", "accuracy_greedy").n == 20);
  CHECK(row(rows, "sft", "0", "accuracy_greedy", "layout_only").n == 10);
  CHECK(row(rows, "sft", "all", "accuracy_greedy", "template", "t1").n == 10);
  std::int64_t by_domain = 0;
  for (const auto& r : rows)
    if (r.slice_kind == "domain" && r.seed == "0" && r.split == "all" && r.format == "all" &&
        r.metric == "accuracy_greedy")
      by_domain += r.n;
  CHECK(by_domain == 20);
}

TEST_CASE("the differences of declared claims have rows", "[results]") {
  const Outcomes all = {{{"mine", 0}, outcomes(30, 0, false)},
                        {{"other", 0}, outcomes(30, 1, true)}};
  SummaryOptions options;
  options.claims = {{"a", "?", "other", "mine", "groups_all_wrong"}};
  const auto rows = summarise(all, options);
  CHECK(row(rows, "other", "all", "groups_all_wrong_vs_mine").n == 30);
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
  // The reference has seed 0 alone: so does the difference, and nothing is said about other seeds.
  const auto& common = row(rows, "format", "all", "accuracy_greedy_vs_sft");
  CHECK(common.value == Catch::Approx(0.5));
  CHECK(common.seeds == 1);
  CHECK(common.basis == Basis::scenes);
  const auto apart = summarise({{{"sft", 7}, outcomes(30, 0, false)},
                                {{"format", 0}, outcomes(30, 0, true)},
                                {{"format", 1}, outcomes(30, 0, false)}});
  for (const auto& r : apart) CHECK_FALSE(contains(r.metric, "_vs_"));
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
    CHECK(back[i].error == Catch::Approx(rows[i].error).epsilon(1e-6));
    CHECK(back[i].df == Catch::Approx(rows[i].df).epsilon(1e-6));
    CHECK(back[i].scenes == rows[i].scenes);
    CHECK(back[i].seeds == rows[i].seeds);
    CHECK(back[i].basis == rows[i].basis);
    CHECK((back[i].low <= back[i].value && back[i].value <= back[i].high));
  }
}

TEST_CASE("a results.csv of an earlier version is read, without verdicts", "[results]") {
  const auto rows = results_from_csv(
      "condition,seed,split,format,slice_kind,slice,metric,n,value,low,high\n"
      "accuracy,all,known,all,overall,all,accuracy_greedy_vs_sft,9,0.5,0.4,0.6\n",
      "old.csv");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].basis == Basis::unknown);
  CHECK(decide(interval_of(rows[0]), .03) == Verdict::undecided);
}

TEST_CASE("a damaged results.csv is refused with its line", "[results]") {
  const std::string head = std::string(results_header) + "\n";
  const auto error = [](const std::string& text) {
    return error_of([&] { results_from_csv(text, "r.csv"); });
  };
  CHECK(contains(error("a,b\n"), "r.csv line 1: expected the header"));
  CHECK(contains(error(""), "r.csv: empty"));
  CHECK(contains(error(head + "sft,0,all,all,overall,all,m,1,0.5,0.4\n"),
                 "line 2: 10 fields instead of 16"));
  CHECK(contains(error(head + "sft,0,all,all,overall,\"a\nb\",m,1,0.5,0.4,0.6,9,1,0.1,8,scenes\n"
                              "sft,0,all,all,overall,all,m,1,x,0.4,0.6,9,1,0.1,8,scenes\n"),
                 "line 4, value: 'x' is not a number"));
  CHECK(contains(error(head + "sft,0,all,all,overall,all,m,1,0.5,0,1,9,1,0.1,8,bootstrap\n"),
                 "line 2, interval: 'bootstrap' is not a kind of interval"));
  CHECK(contains(error(head + "sft,\"0,all\n"), "line 2: unterminated quote"));
  CHECK(contains(error(head + "sft,0,all,all,overall,all,m,1,inf,0,1,9,1,0.1,8,scenes\n"),
                 "not finite"));
  CHECK(results_from_csv(head, "r.csv").empty());
  const auto windows = results_from_csv(
      head + "sft,0,all,all,overall,all,m,1,0.5,0.4,0.6,9,1,0.1,8,scenes\r\n", "r");
  CHECK(windows.at(0).high == Catch::Approx(0.6));
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
