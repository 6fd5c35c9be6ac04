// SPDX-License-Identifier: MIT
// A published result: small, complete for the report, and the same bytes when published again.
#include <cstddef>
#include <string>
#include <vector>

#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/figures.hpp"
#include "phyx/report/publish.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/report/sections.hpp"
#include "phyx/results/summary.hpp"
#include "tests/draws.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_report_publish {

using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::draw_below;
using gaze::test::Folder;
using gaze::test::occurrences;

namespace {

/// 80 scenes in both forms; `share` percent of the answers are right.
std::vector<Outcome> outcomes(std::uint32_t share, std::uint32_t seed) {
  std::vector<Outcome> out(160);
  for (std::size_t i = 0; i < out.size(); ++i) {
    Outcome& o = out[i];
    o.index = std::to_string(i / 2);
    o.form = i % 2 ? Form::oe : Form::mc;
    o.split = "known";
    o.template_id = i % 4 < 2 ? "lever" : "lens";
    o.subfield = "Statics";
    o.domain = "Mechanics";
    o.reasoning = {"Spatial Relation Reasoning"};
    o.sampled.resize(4);
    for (std::size_t s = 0; s < 4; ++s) {
      o.sampled[s].correct = draw_below(i + 1000 * seed, s, 100) < share;
      o.sampled[s].rewards["accuracy"] = o.sampled[s].correct;
      o.sampled[s].rewards["rubric"] = draw_below(i + 1000 * seed, s + 4, 100) < 50;
    }
    o.greedy = o.sampled[0];
  }
  return out;
}

/// A run of two seeds: the warm start, a trained condition, and one that was not trained.
report::RunData run(const Folder& folder) {
  folder.put("run/config.json", R"({"seeds": [0, 1], "condition": {"sft": {"method": "none"},
      "accuracy": {"method": "grpo", "rewards": {"accuracy": {"weight": 1, "reward": "accuracy"}}},
      "rubric": {"method": "grpo", "rewards": {"rubric": {"weight": 1, "reward": "rubric"}}}},
    "claims": [
      {"id": "gain", "text": "It gains | much.", "condition": "accuracy", "reference": "sft",
       "metric": "accuracy_sampled", "expected": "above", "source": "somebody"},
      {"id": "warm", "text": "Does it?", "condition": "sft", "reference": "accuracy",
       "metric": "principle", "expected": "below"},
      {"id": "all-domains", "text": "Most domains?", "condition": "accuracy", "reference": "sft",
       "metric": "accuracy_greedy", "expected": "above",
       "slice": {"kind": "domain", "name": "*"}}]})");
  for (std::uint32_t seed = 0; seed < 2; ++seed) {
    const std::string at = folder.file("run/outcomes_" + std::to_string(seed));
    write_outcomes(at + "_sft.jsonl", {"sft", seed, outcomes(30, seed)});
    write_outcomes(at + "_cool.jsonl", {"sft@0.25", seed, outcomes(40, seed)});
    write_outcomes(at + "_accuracy.jsonl", {"accuracy", seed, outcomes(60, seed)});
  }
  return report::read_runs({folder.file("run")});
}

}  // namespace

TEST_CASE("a published folder is read like a run, and published again it is the same", "[report]") {
  const Folder folder("publish");
  const report::RunData data = run(folder);
  publish(data, folder.file("kept"));
  const report::RunData again = report::read_runs({folder.file("kept")});
  publish(again, folder.file("again"));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.file("kept"))) {
    const std::string name = entry.path().filename().string();
    INFO(name);
    CHECK(folder.read("kept/" + name) == folder.read("again/" + name));
    ++files;
  }
  // config.json, results.csv, tables.md, claims, two of accuracy, of pass@k and of temperature.
  CHECK(files == 10);
  CHECK(again.results.size() < data.results.size() / 2);
  const report::Context before(data), after(again);
  CHECK(report::findings_section(before) == report::findings_section(after));
  CHECK(report::temperature_section(before) == report::temperature_section(after));
  CHECK(report::paid_section(before) == report::paid_section(after));
}

TEST_CASE("several runs are published with their configurations, in a stable order", "[report]") {
  const Folder folder("publish_many");
  std::vector<std::string> runs;
  for (std::uint32_t seed = 0; seed < 11; ++seed) {
    const std::string name = "seed" + std::to_string(seed);
    folder.put(name + "/config.json",
               R"({"condition": {"sft": {}}, "seeds": [)" + std::to_string(seed) + "]}");
    write_outcomes(folder.file(name) + "/outcomes.jsonl", {"sft", seed, outcomes(30, seed)});
    runs.push_back(folder.file(name));
  }
  report::publish(report::read_runs(runs), folder.file("kept"));
  report::publish(report::read_runs({folder.file("kept")}), folder.file("again"));
  for (const char* name : {"run001", "run002", "run010", "run011"})
    CHECK(folder.read("kept/" + std::string(name) + "/config.json") ==
          folder.read("again/" + std::string(name) + "/config.json"));
  CHECK(contains(folder.read("kept/run011/config.json"), "10"));
  CHECK(folder.read("kept/tables.md") == folder.read("again/tables.md"));
  CHECK(folder.read("kept/results.csv") == folder.read("again/results.csv"));
  // Fewer runs leave nothing of the earlier ones.
  report::publish(report::read_runs({runs[0]}), folder.file("kept"));
  CHECK_FALSE(std::filesystem::exists(folder.file("kept/run001")));
  CHECK(report::read_runs({folder.file("kept")}).configs.size() == 1);
}

TEST_CASE("the published tables have every condition, claim and reward", "[report]") {
  const Folder folder("publish_tables");
  publish(run(folder), folder.file("kept"));
  const std::string text = folder.read("kept/tables.md");
  CHECK(occurrences(text, "\n| sft@0.25 | ") == 1);
  CHECK(contains(text, "| pass@4, OE |"));
  CHECK(contains(text, "| gain | It gains \\| much. | accuracy − sft: +"));
  CHECK(contains(text, "| agrees |"));
  CHECK(contains(text, "Mechanics +"));
  // Not trained, but it scored the warm start's answers.
  CHECK(contains(text, "| rubric | rubric | 0."));
  // Every row of a table has as many cells as its heading.
  std::size_t cells = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.rfind("|", 0) != 0) {
      cells = 0;
      continue;
    }
    const std::size_t now = occurrences(line, "|") - occurrences(line, "\\|");
    if (cells > 0) CHECK(now == cells);
    cells = now;
  }
}

TEST_CASE("the chart of the claims shows intervals, margins and single seeds", "[report]") {
  const Folder folder("publish_chart");
  const report::RunData data = run(folder);
  const report::Context c(data);
  const report::Figure f = report::claims_figure(c);
  CHECK(occurrences(f.chart, "class=\"whisker-c\"") == 3);
  CHECK(occurrences(f.chart, "class=\"band\"") == 3);
  CHECK(occurrences(f.chart, "class=\"seed\"") == 3 * 2);
  CHECK(contains(f.chart, ">all-domains<"));
  CHECK(contains(report::findings_section(c), f.chart));
  const std::string file = report::svg_file(c, report::pass_figures(c)[1]);
  CHECK(contains(file, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 544"));
  CHECK(occurrences(file, "<svg ") == 2);
  CHECK(occurrences(file, "</svg>") == 2);
  CHECK(occurrences(file, "class=\"bar\"/><text") == 2);  // the colour key
  CHECK_FALSE(contains(file, "var(--"));
  CHECK(report::claims_figure(report::Context(report::RunData())).chart.empty());
}

}  // namespace test_report_publish
