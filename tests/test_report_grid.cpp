// SPDX-License-Identifier: MIT
// Reports on the runs of a grid: each condition is compared with the reference of its own run.
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/json.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/report/sections.hpp"
#include "phyx/results/run_name.hpp"
#include "phyx/results/summary.hpp"
#include "phyx/study/grid_report.hpp"
#include "tests/draws.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_report_grid {

using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::draw_below;
using gaze::test::Folder;
using gaze::test::occurrences;

namespace {

/// 120 scenes; `share` percent of the answers are right.
std::vector<Outcome> outcomes(std::uint32_t share) {
  std::vector<Outcome> out(120);
  for (std::size_t i = 0; i < out.size(); ++i) {
    Outcome& o = out[i];
    o.index = std::to_string(i);
    o.form = i % 2 ? Form::oe : Form::mc;
    o.split = "known";
    o.template_id = i % 4 < 2 ? "lever" : "lens";
    o.sampled.resize(4);
    for (std::size_t s = 0; s < 4; ++s) {
      o.sampled[s].correct = draw_below(i, s, 100) < share;
      o.sampled[s].rewards["accuracy"] = o.sampled[s].correct;
    }
    o.greedy = o.sampled[0];
  }
  return out;
}

/// A run of the grid in a folder: sft, also at another temperature, and accuracy.
std::string write_run(const Folder& folder, const std::string& rate, std::uint32_t start,
                      std::uint32_t after) {
  const std::string at = folder.file("grpo.rate=" + rate);
  gaze::io::make_folders(at);
  const auto number = gaze::io::Json::parse(rate);
  const auto claims = gaze::io::Json::parse(R"([{"id": "gain", "text": "It gains.",
      "condition": "accuracy", "reference": "sft", "metric": "accuracy_sampled",
      "expected": "above"}])");
  const auto conditions = gaze::io::Json::parse(R"({"sft": {"method": "none"},
      "accuracy": {"method": "grpo", "rewards": {"accuracy": {"weight": 1.0}}}})");
  const gaze::io::Json config = {{"grid", {{"grpo.rate", number}}},
                                 {"grpo", {{"rate", number}}},
                                 {"evaluation", {{"k", {3}}, {"temperature", 1.0}}},
                                 {"claims", claims},
                                 {"condition", conditions}};
  gaze::io::write_file(at + "/config.json", config.dump());
  write_outcomes(at + "/outcomes_sft.jsonl", {"sft", 0, outcomes(start)});
  write_outcomes(at + "/outcomes_t.jsonl", {"sft@0.25", 0, outcomes(start + 5)});
  write_outcomes(at + "/outcomes_accuracy.jsonl", {"accuracy", 0, outcomes(after)});
  return at;
}

/// Two runs: from 30 to 60 percent, and from 50 to 50.
report::RunData grid(const Folder& folder) {
  return report::read_runs({write_run(folder, "0.1", 30, 60), write_run(folder, "0.2", 50, 50)});
}

}  // namespace

TEST_CASE("names say condition, temperature and point", "[report]") {
  CHECK(grid_point("sft@0.25, grpo.rate=0.1, split=val") == ", grpo.rate=0.1, split=val");
  CHECK(without_point("sft@0.25, grpo.rate=0.1") == "sft@0.25");
  CHECK(tempered_from("sft@0.25, grpo.rate=0.1") == "sft, grpo.rate=0.1");
  CHECK(temperature_of("sft@0.25, grpo.rate=0.1") == "0.25");
  CHECK(tempered_from("sft, grpo.rate=0.1").empty());
  CHECK(grid_point("sft").empty());
}

TEST_CASE("in a grid a condition is compared with its own run's reference", "[report]") {
  const Folder folder("grid");
  const auto data = grid(folder);
  const report::Context c(data);
  CHECK(c.conditions.size() == 4);
  CHECK(c.tempered.size() == 2);
  const auto gain = [&](const std::string& rate) {
    const auto* r = c.results.find("accuracy, grpo.rate=" + rate, "accuracy_sampled_vs_sft");
    REQUIRE(r);
    return r->value;
  };
  CHECK(gain("0.1") == Catch::Approx(.3).margin(.08));
  CHECK(gain("0.2") == 0);
  CHECK_FALSE(c.results.find("sft, grpo.rate=0.1", "accuracy_sampled_vs_sft"));
  // config.json's k of pass@k, not the default 2 and 4.
  CHECK(c.results.find("accuracy, grpo.rate=0.1", "pass@3"));
  CHECK_FALSE(c.results.find("accuracy, grpo.rate=0.1", "pass@2"));
}

TEST_CASE("the sections of a grid's report have data for every point", "[report]") {
  const Folder folder("grid");
  const auto data = grid(folder);
  const report::Context c(data);
  CHECK(occurrences(report::temperature_section(c), "<polyline") == 4);  // two points, MC and OE
  CHECK(occurrences(report::templates_section(c), "class=\"dot full\"") == 4);
  const std::string paid = report::paid_section(c);
  CHECK(occurrences(paid, "<td>rose in this seed</td>") == 1);
  CHECK(occurrences(paid, "<td>no spread</td>") == 1);
  const std::string findings = report::findings_section(c);
  CHECK(contains(findings, "It gains.<small>grpo.rate=0.1</small>"));
  CHECK(contains(findings, "yes, in this seed"));
  CHECK(contains(findings, "each claim is decided at every point"));
  CHECK_FALSE(contains(findings, "Not measured"));
  const std::string differences = report::differences_section(c);
  CHECK_FALSE(contains(differences, "sft, grpo.rate"));
  const std::string head = report::headline(c, "Grid");
  CHECK(contains(head, "<b>At grpo.rate=0.1:</b>"));
  CHECK(contains(head, "<b>accuracy</b> has the highest accuracy"));
  CHECK(contains(head, "<b>At grpo.rate=0.2:</b> For sampled answers, no condition is more"));
}

TEST_CASE("the headline names no winner without a start or among equals", "[report]") {
  const auto head = [](const Outcomes& all) {
    report::RunData data;
    data.results = summarise(all);
    return report::headline(report::Context(data), "Run");
  };
  const std::string alone = head({{{"accuracy", 0}, outcomes(60)}, {{"rubric", 0}, outcomes(30)}});
  CHECK(contains(alone, "there is no result of the warm start to compare with"));
  CHECK_FALSE(contains(alone, "<b>accuracy</b>"));
  const std::string equals = head(
      {{{"sft", 0}, outcomes(30)}, {{"accuracy", 0}, outcomes(60)}, {{"rubric", 0}, outcomes(60)}});
  CHECK(contains(equals, "2 conditions share the highest accuracy"));
  CHECK_FALSE(contains(equals, "<b>accuracy</b>"));
}

TEST_CASE("what follows from a setting of the grid may differ, other settings may not",
          "[report]") {
  const Folder folder("report_grid_follows");
  const auto write = [&](const std::string& name, double strength, const std::string& sha,
                         const std::string& more) {
    const std::string at = folder.file(name);
    gaze::io::make_folders(at);
    auto config = gaze::io::Json::parse(R"({"data": {"seed": 1}, "condition": {"sft": {}}})");
    config["data"]["cue_strength"] = strength;
    config["data"]["files"]["synth_train_MC.tsv"] = sha;
    config["grid"]["data.cue_strength"] = strength;
    if (!more.empty()) config["condition"][more] = gaze::io::Json::object();
    gaze::io::write_file(at + "/config.json", config.dump());
    write_outcomes(at + "/outcomes.jsonl", {"sft", 0, outcomes(30)});
    return at;
  };
  const std::string a = write("a", 0, "11", ""), b = write("b", 0.9, "22", "later");
  CHECK(report::read_runs({a, b}).results.size() > 0);
  gaze::io::write_file(b + "/config.json",
                       R"({"data": {"seed": 2, "cue_strength": 0.9}, "condition": {"sft": {}},
                           "grid": {"data.cue_strength": 0.9}})");
  CHECK(contains(gaze::test::error_of([&] { report::read_runs({a, b}); }), "data.seed"));
}

}  // namespace test_report_grid
