// SPDX-License-Identifier: MIT
// The report: complete, self-contained, safe against hostile text, usable for a stopped run.
#include "phyx/report/page.hpp"

#include <filesystem>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/base64.hpp"
#include "gaze/io/json.hpp"
#include "phyx/problem.hpp"
#include "phyx/report/completion.hpp"
#include "phyx/report/findings.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/results/summary.hpp"
#include "tests/draws.hpp"
#include "tests/folder.hpp"
#include "tests/problem_files.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_report {

using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::draw_below;
using gaze::test::error_of;
using gaze::test::occurrences;
using gaze::test::problems::pixel64;
namespace fs = std::filesystem;

namespace {

std::string fresh_folder(const std::string& name) {
  static const gaze::test::Folder all("report");
  fs::remove_all(all.path / name);
  fs::create_directories(all.path / name);
  return all.file(name);
}

void put(const std::string& folder, const std::string& name, const std::string& text) {
  fs::create_directories((fs::path(folder) / name).parent_path());
  gaze::io::write_file((fs::path(folder) / name).string(), text);
}

std::vector<Outcome> outcomes(double share) {
  std::vector<Outcome> out(60);
  for (std::size_t i = 0; i < out.size(); ++i) {
    Outcome& o = out[i];
    o.index = std::to_string(i);
    o.form = i % 3 ? Form::oe : Form::mc;
    o.split = i % 6 ? "known" : "new";
    o.domain = domains[i % 6];
    o.reasoning = {reasoning_types[(i / 2) % 6]};
    o.needs_image = i % 4 != 0;
    o.sampled.resize(4);
    for (std::size_t s = 0; s < 4; ++s)
      o.sampled[s].correct = o.sampled[s].parsed = draw_below(i, s, 100) < share * 100;
    o.greedy = o.sampled[0];
    o.blank.sampled = {false};
  }
  return out;
}

std::string metric(const std::string& condition, int step, double reward) {
  return gaze::io::Json{{"condition", condition}, {"seed", 0},        {"stage", "grpo"},
                        {"step", step},           {"reward", reward}, {"kl", 0.01 * step}}
             .dump() +
         "\n";
}

std::string completion(const std::string& condition, const std::string& text,
                       const std::string& image) {
  gaze::io::Json maps = gaze::io::Json::array({{0.1, 0.2, 0.3, 0.4}, {0.4, 0.1, 0.1, 0.1}});
  gaze::io::Json tokens = gaze::io::Json::array({"<think>", text});
  return gaze::io::Json{
             {"condition", condition},
             {"seed", 0},
             {"step", 9},
             {"index", "7"},
             {"form", "OE"},
             {"image", image},
             {"question", "how fast?"},
             {"answer", "2 m/s"},
             {"text", text},
             {"rewards", {{"accuracy", 1.0}}},
             {"correct", true},
             {"attention",
              {{"grid", {2, 2}}, {"tokens", std::move(tokens)}, {"maps", std::move(maps)}}}}
             .dump() +
         "\n";
}

std::string whole_run(const std::string& name, const std::string& hostile = "text") {
  const std::string folder = fresh_folder(name);
  write_results(folder + "/results.csv",
                summarise({{{"sft", 0}, outcomes(0.3)}, {{"accuracy", 0}, outcomes(0.6)}}));
  put(folder, "config.json", gaze::io::Json{{"preset", "smoke"}, {"note", hostile}}.dump());
  put(folder, "metrics.jsonl",
      metric("accuracy", 1, 0.3) + metric("accuracy", 2, 0.5) + metric(hostile, 1, 0.3));
  put(folder, "completions.jsonl", completion("accuracy", hostile, pixel64));
  return folder;
}

std::string report_of(const std::string& folder, const std::vector<std::string>& from = {}) {
  write_report(folder, {from, "Test report"});
  return gaze::io::read_file(folder + "/report.html");
}

}  // namespace

TEST_CASE("the report of a complete run has every section", "[report]") {
  const std::string page = report_of(whole_run("whole"));
  for (const char* id :
       {"rewards", "overview", "table", "rules", "findings", "differences", "breakdown", "picture",
        "passk", "curves", "examples", "glossary", "config"})
    CHECK(contains(page, "<section id=\"" + std::string(id) + "\">"));
  CHECK(contains(page, "Test report"));
  CHECK(contains(page, "smoke"));
  CHECK(contains(page, "Reward (mean of the step)"));
  CHECK(contains(page, "data:image/png;base64," + pixel64));
  CHECK(occurrences(page, "class=\"cell\"") == 4);
  CHECK(contains(page, "No test results for: sft_more"));
  CHECK(occurrences(page, "<svg") == occurrences(page, "</svg>"));
  CHECK(occurrences(page, "<table") == occurrences(page, "</table>"));
  CHECK(occurrences(page, "<div") == occurrences(page, "</div>"));
}

TEST_CASE("the report says what was trained: our own model, or adapters of a checkpoint") {
  const auto page_with = [](const gaze::io::Json& config) {
    const std::string folder = whole_run("trained");
    put(folder, "config.json", config.dump());
    return report_of(folder);
  };
  const std::string own = page_with({{"warm_start", {{"corruption.share", 0.4}}}});
  CHECK(contains(own, "A small vision-language model was trained"));
  CHECK(contains(own, "The problems are synthetic"));
  CHECK(contains(own, "deliberately corrupted"));
  CHECK(contains(own, "Corruption of the warm start</dt>"));
  CHECK_FALSE(contains(page_with({{"warm_start", {{"corruption.share", 0.0}}}}), "deliberately"));

  const gaze::io::Json start = {{"corruption.share", 0.0}, {"clean_steps", 0}};
  gaze::io::Json config = {{"checkpoint", {{"recompute", false}}},
                           {"warm_start", start},
                           {"data", {{"suite", "words"}}}};
  const std::string words = page_with(config);
  for (const char* text : {"A small vision-language model", "trained from scratch", "synthetic",
                           "deliberately", "Corruption of the warm start</dt>"})
    CHECK_FALSE(contains(words, text));
  CHECK(contains(words, "LoRA adapters of a published checkpoint were trained"));
  CHECK(contains(words, "the checkpoint itself."));
  CHECK(contains(words, "small calculations in words"));
  config["warm_start"]["clean_steps"] = 5;
  config["data"] = {{"own", "<b>.tsv"}};
  const std::string rows = page_with(config);
  CHECK(contains(rows, "the checkpoint after supervised training on responses."));
  CHECK(contains(rows, "held-out rows of one's own data: &lt;b&gt;.tsv."));
}

TEST_CASE("the page loads no external resources", "[report]") {
  const std::string page = report_of(whole_run("offline"));
  for (const char* bad : {"http://", "https://", "src=\"//", "@import", "url(", "<link", "<iframe"})
    CHECK_FALSE(contains(page, bad));
}

TEST_CASE("hostile text is displayed, not executed", "[report]") {
  const std::string hostile = "</pre><script>alert(1)</script>\"'><img src=x onerror=y>";
  const std::string page = report_of(whole_run("hostile", hostile));
  CHECK(occurrences(page, "<script") == 1);  // the page's own
  CHECK_FALSE(contains(page, "<img"));
  CHECK(contains(page, "&lt;script&gt;alert(1)"));
  CHECK(report::escape("<a&\"'\x01") == "&lt;a&amp;&quot;&#39;\uFFFD");
}

TEST_CASE("the report of a stopped run lists what is missing", "[report]") {
  const std::string folder = fresh_folder("stopped");
  put(folder, "metrics.jsonl", metric("accuracy", 1, 0.3) + "{\"condition\":\"acc");
  const std::string page = report_of(folder);
  CHECK(contains(page, "metrics.jsonl line 2 is truncated"));
  CHECK(contains(page, "There are no test results yet"));
  CHECK(contains(page, "There is no config.json"));
  CHECK(contains(page, "No completions were recorded"));
  CHECK(contains(report_of(fresh_folder("empty")), "No training was logged"));
}

TEST_CASE("folders of single conditions are merged and pooled", "[report]") {
  const std::string a = fresh_folder("part_a"), b = fresh_folder("part_b");
  write_outcomes(a + "/outcomes.jsonl", {"sft", 0, outcomes(0.3)});
  fs::create_directories(b + "/inner");
  write_outcomes(b + "/inner/outcomes.jsonl", {"accuracy", 0, outcomes(0.7)});
  bool difference = false;
  for (const auto& r : report::merge_results({a, b}))
    difference = difference || (r.condition == "accuracy" && r.metric == "accuracy_sampled_vs_sft");
  CHECK(difference);
  CHECK(contains(report_of(fresh_folder("merged"), {a, b}), "2 conditions, 1 seed"));
}

TEST_CASE("the report shows how often and where the two rules differ", "[report]") {
  const std::string folder = fresh_folder("rules");
  std::vector<Outcome> some(40);
  for (std::size_t i = 0; i < some.size(); ++i) {
    some[i].index = std::to_string(i);
    some[i].split = "known";
    some[i].greedy.correct = i < 20;
    some[i].greedy.official = i < 10;  // they differ on 10 of 40
    some[i].sampled = {some[i].greedy, {}};
  }
  write_results(folder + "/results.csv", summarise({{{"accuracy", 0}, some}}));
  const auto answer = [](const std::string& text, bool strict) {
    return gaze::io::Json{{"condition", "accuracy"},
                          {"seed", 0},
                          {"index", "3"},
                          {"form", "OE"},
                          {"answer", "5"},
                          {"text", text},
                          {"correct", strict},
                          {"official", !strict}}
               .dump() +
           "\n";
  };
  std::string lines = answer("by <tolerance>", true);
  for (int i = 0; i < 9; ++i) lines += answer("echo " + std::to_string(i), false);
  put(folder, "differing.jsonl", lines);
  const std::string page = report_of(folder);
  const std::string part = page.substr(page.find("<section id=\"rules\">"));
  const std::string rules = part.substr(0, part.find("</section>"));
  CHECK(contains(rules, "25.0<small>"));
  CHECK(contains(rules, "12.5<small>"));
  CHECK(contains(rules, "by &lt;tolerance&gt;"));
  CHECK(contains(rules, "echo 5"));
  CHECK_FALSE(contains(rules, "echo 6"));
  put(folder, "differing.jsonl", "{\"condition\": \"accuracy\", \"correct\": 1}\n{}\n");
  CHECK_THROWS_WITH(report_of(folder), Catch::Contains("differing.jsonl line 1, correct"));
}

TEST_CASE("malformed input is an error with file and line", "[report]") {
  const auto error = [](const std::string& name, const std::string& text) -> std::string {
    const std::string folder = fresh_folder("malformed");
    put(folder, name, text);
    try {
      write_report(folder, {});
    } catch (const gaze::Error& e) {
      CHECK_FALSE(fs::exists(folder + "/report.html"));
      return e.what();
    }
    return "no error";
  };
  CHECK(contains(error("metrics.jsonl", "nonsense\n" + metric("a", 1, 1)), "metrics.jsonl line 1"));
  CHECK(contains(error("metrics.jsonl", "{\"condition\":3.5,\"step\":1}\n"), "line 1, condition"));
  CHECK(contains(error("metrics.jsonl", "{\"condition\":\"a\"}\n"), "line 1, step"));
  CHECK(contains(error("completions.jsonl", "{\"attention\":{\"grid\":[2,2],\"maps\":[[1]]}}\n"),
                 "line 1, attention.maps"));
  CHECK(contains(error("completions.jsonl", "{\"attention\":{\"grid\":[9999,2],\"maps\":[]}}\n"),
                 "line 1, attention.grid"));
  CHECK(contains(error("results.csv", "x\n"), "results.csv line 1"));
  CHECK_THROWS_AS(write_report(fresh_folder("x"), {{"/nowhere/at/all"}, ""}), gaze::Error);
}

TEST_CASE("only pictures from the run's folder are shown", "[report]") {
  const std::string folder = fresh_folder("pictures");
  const auto bytes = gaze::io::base64_decode(pixel64);
  put(folder, "images/a.png", std::string(bytes.begin(), bytes.end()));
  put(folder, "secret.txt", "not a picture at all, but long enough");
  report::Completion c;
  c.folders = {folder};
  const auto shown = [&](const std::string& image) {
    c.image = image;
    return report::embed_image(c).has_value();
  };
  CHECK(shown("images/a.png"));
  CHECK(shown(pixel64));
  CHECK(shown("data:image/png;base64," + pixel64));
  CHECK_FALSE(shown("secret.txt"));
  CHECK_FALSE(shown("../pictures/images/a.png"));
  CHECK_FALSE(shown(folder + "/images/a.png"));
  CHECK_FALSE(shown("iVBORw0KGgo!"));
  CHECK_FALSE(shown(""));
  CHECK_FALSE(shown(std::string(300, 'x') + ".png"));
}

TEST_CASE("numbers are written for readers", "[report]") {
  CHECK(report::percent(0.5312) == "53.1");
  CHECK(report::fixed(-0.04, 1) == "0.0");
  CHECK(report::fixed(-1.25, 1) == "\u22121.2");
  CHECK(signed_points(0.042) == "+4.2");
  CHECK(signed_points(-0.0421) == "\u22124.2");
  CHECK(signed_points(0.0001) == "0.0");
  CHECK(report::fixed(std::numeric_limits<double>::quiet_NaN(), 1) == "–");
}

TEST_CASE("a configuration that is not an object is an error with its file", "[report]") {
  const std::string folder = whole_run("no_object");
  for (const char* text : {"[]", "7", "null"}) {
    put(folder, "config.json", text);
    CHECK_THROWS_WITH(report_of(folder),
                      "[gaze::read_json] " + folder + "/config.json: not a JSON object");
  }
}

}  // namespace test_report
