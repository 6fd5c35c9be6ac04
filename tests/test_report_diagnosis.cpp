// SPDX-License-Identifier: MIT
// The report's sections on what the rewards did: rewards before and after, temperatures, templates.
#include "gaze/io/json.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/sections.hpp"
#include "phyx/results/summary.hpp"
#include "tests/draws.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_report_diagnosis {

using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::draw_below;
using gaze::test::occurrences;

namespace {

/// 80 scenes of two templates; `share` of the sampled answers are right and `look` is their score.
std::vector<Outcome> outcomes(double share, float look, std::uint64_t seed,
                              bool layout_only = false) {
  std::vector<Outcome> out(80);
  for (std::size_t i = 0; i < out.size(); ++i) {
    Outcome& o = out[i];
    o.index = std::to_string(i);
    o.form = i % 2 ? Form::oe : Form::mc;
    o.split = "known";
    o.template_id = i % 4 < 2 ? "lever" : "lens";
    o.sampled.resize(4);
    for (std::size_t s = 0; s < 4; ++s) {
      Attempt& a = o.sampled[s];
      a.correct = draw_below(i + 1000 * seed, s, 100) < share * 100;
      a.look_score = look * (0.9f + 0.02f * float(draw_below(i, s, 10)));
      a.rewards["attention"] = a.correct ? a.look_score : 0;
      a.rewards["attention_ungated"] = a.look_score;
    }
    o.greedy = o.sampled[0];
    o.layout_only = layout_only && o.template_id == "lens";
    o.swapped.sampled = {i % 3 == 0};
  }
  return out;
}

/// Conditions sft (also at temperature 0.25) and attention, two seeds.
report::RunData run(float look_after) {
  Outcomes all;
  for (const std::int64_t seed : {0, 1}) {
    const auto key = static_cast<std::uint64_t>(seed);
    all[{"sft", seed}] = outcomes(0.4, 0.5f, key);
    all[{"sft@0.25", seed}] = outcomes(0.5, 0.5f, key);
    all[{"attention", seed}] = outcomes(0.6, look_after, key);
  }
  report::RunData data;
  data.results = summarise(all);
  data.configs = {gaze::io::Json::parse(R"({
    "evaluation": {"temperature": 0.8},
    "condition": {
      "sft": {"method": "none", "meaning": "the start"},
      "attention": {"method": "grpo", "meaning": "looks",
                    "rewards": {"attention": {"weight": 1.0}}}}})")};
  return data;
}

}  // namespace

TEST_CASE("the manipulation check says whether what was paid for moved", "[report]") {
  const auto risen = run(0.7f), equal = run(0.5f);
  const std::string page = report::paid_section(report::Context(risen));
  CHECK(contains(page, "attention, ungated"));
  CHECK(occurrences(page, "<td>rose</td>") == 2);  // the reward and the look score
  CHECK(contains(page, "+19."));                   // the look score in points
  const std::string other = report::paid_section(report::Context(equal));
  CHECK(occurrences(other, "<td>rose</td>") == 1);  // more right answers earn more
  CHECK(contains(other, "<td>no spread</td>"));     // the look score is the same
}

TEST_CASE("further temperatures are a chart, and no conditions of their own", "[report]") {
  const auto data = run(0.7f);
  const report::Context c(data);
  CHECK(c.conditions == std::vector<std::string>{"sft", "attention"});
  CHECK(c.tempered == std::vector<std::string>{"sft@0.25"});
  const std::string page = report::temperature_section(c);
  CHECK(occurrences(page, "<polyline") == 2);  // sft, as MC and as OE
  CHECK(occurrences(page, "<i></i>") == 2);
  report::RunData without = data;
  without.results.erase(
      std::remove_if(without.results.begin(), without.results.end(),
                     [](const ResultRow& r) { return r.condition == "sft@0.25"; }),
      without.results.end());
  CHECK(contains(report::temperature_section(report::Context(without)),
                 "No condition was evaluated at further temperatures"));
}

TEST_CASE("differences by template have the single seeds as dots", "[report]") {
  const auto data = run(0.7f);
  const std::string page = report::templates_section(report::Context(data));
  CHECK(contains(page, ">lever</text>"));
  CHECK(contains(page, ">lens</text>"));
  CHECK(occurrences(page, "class=\"seed\"") == 4);  // two templates, two seeds
  CHECK(occurrences(page, "class=\"dot full\"") == 2);
}

TEST_CASE("layout-only templates are marked and reported apart", "[report]") {
  report::RunData data;
  data.results = summarise({{{"sft", 0}, outcomes(0.4, 0.5f, 0, true)},
                            {{"attention", 0}, outcomes(0.6, 0.5f, 0, true)}});
  const std::string page = report::templates_section(report::Context(data));
  CHECK(contains(page, ">lever</text>"));
  CHECK(contains(page, ">lens *</text>"));
  CHECK(contains(page, ">all *, together</text>"));
  CHECK(contains(page, "only their layout is new"));
  CHECK_FALSE(contains(report::templates_section(report::Context(run(0.7f))), "layout is new"));
}

TEST_CASE("the gain from the own picture and the groups of equal samples are shown", "[report]") {
  const auto data = run(0.7f);
  const report::Context c(data);
  const std::string picture = report::image_section(c);
  CHECK(contains(picture, "Own − swapped"));
  CHECK(contains(picture, "<td>80</td>"));
  CHECK(contains(report::tables_section(c), "All samples wrong"));
  CHECK(contains(report::tables_section(c), "Look score, of these"));
}

TEST_CASE("differences without spread are not printed as exact, and one seed is said", "[report]") {
  report::RunData data;
  const auto same = outcomes(0.4, 0.5f, 0);
  data.results = summarise(
      {{{"sft", 0}, same}, {{"attention", 0}, same}, {{"rubric", 0}, outcomes(0.9, 0.5f, 0)}});
  const report::Context c(data);
  CHECK(contains(report::differences_section(c), "title=\"no spread, so no interval, 80"));
  CHECK(contains(report::templates_section(c), "lever: 0.0, no spread, so no interval"));
  data.configs = run(0.7f).configs;
  CHECK(contains(report::paid_section(report::Context(data)), "<td>no spread</td>"));
}

TEST_CASE("the warm start may have any name", "[report]") {
  Outcomes all;
  all[{"begin", 0}] = outcomes(0.3, 0.5f, 0);
  all[{"attention", 0}] = outcomes(0.8, 0.7f, 0);
  report::RunData data = run(0.7f);
  data.start = "begin";
  SummaryOptions options;
  options.start = "begin";
  data.results = summarise(all, options);
  const report::Context c(data);
  CHECK(contains(report::headline(c, "x"), "<b>attention</b> has the highest accuracy"));
  CHECK(contains(report::templates_section(c), ">lever</text>"));
  CHECK(contains(report::paid_section(c), "<td>rose"));
  CHECK(contains(report::differences_section(c), "the warm start <b>begin</b>"));
}

TEST_CASE("conditions of a study of one's own have different colours", "[report]") {
  report::RunData data = run(0.7f);
  for (ResultRow& r : data.results)
    r.condition = r.condition == "attention" ? "mine" : r.condition == "sft" ? "yours" : "theirs";
  const report::Context c(data);
  CHECK(c.style("mine") != c.style("yours"));
  CHECK(c.style("theirs") != c.style("yours"));
  CHECK(c.style("nobody") == "cx");
}

}  // namespace test_report_diagnosis
