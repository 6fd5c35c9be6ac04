// SPDX-License-Identifier: MIT
// Resuming a study with other seeds and conditions, and the folder of a grid: the settings that may
// differ, names of the first difference, and warm starts that runs may share.
#include <algorithm>
#include <filesystem>
#include <set>

#include "phyx/results/csv.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/study/ablation.hpp"
#include "phyx/study/grid_report.hpp"
#include "phyx/study/run_results.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_resumed_study {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;
namespace fs = std::filesystem;

/// A study with the conditions sft and a, and `more` at the top of the file or at its end.
std::string study(const std::string& more = "", const std::string& end = "") {
  return "model = \"nano\"\n" + more + R"(
[condition.sft]
method = "none"
[condition.a]
method = "grpo"
rewards = { accuracy = 1.0 }
)" + end;
}

const std::string condition_b = "[condition.b]\nmethod = \"grpo\"\nrewards = { format = 1.0 }\n";

AblationSettings settings(const std::string& text) { return parse_study(text, "my.toml").settings; }

std::string prepare(const std::string& out, const std::string& text) {
  return error_of([&] { Ablation(settings(text), out, {}).prepare(true, "gaze"); });
}

io::Json config(const std::string& out) {
  return io::Json::parse(io::read_file(out + "/config.json"));
}

std::vector<std::string> keys(const io::Json& object) {
  std::vector<std::string> out;
  for (const auto& [key, value] : object.items()) out.push_back(key);
  return out;
}

std::string grid(const std::string& more = "", const std::string& end = "") {
  return study(more, end + "[grid]\n\"grpo.kl\" = [0.0, 0.1]\n");
}

std::string prepare_grid(const std::string& out, const std::string& text, bool resume = true,
                         const StudyRequest& request = {}) {
  fs::create_directories(out);
  return error_of(
      [&] { prepare_grid_folder(parse_study(text, "./my.toml", request), out, resume); });
}

/// A finished arm with one problem.
void finish(const std::string& out, const std::string& condition, std::int64_t seed,
            const std::string& file = "outcomes.jsonl", const std::string& as = "") {
  const std::string folder = out + "/arms/" + condition + "/seed" + std::to_string(seed);
  fs::create_directories(folder);
  Outcome o;
  o.index = "known/1";
  o.split = "known";
  o.domain = "Mechanics";
  o.template_id = "slide";
  o.sampled.resize(2);
  write_outcomes(folder + "/" + file, {as.empty() ? condition : as, seed, {o}});
  io::write_file(folder + "/metrics.jsonl",
                 std::string_view("{\"of\":\"" + condition + std::to_string(seed) + "\"}\n"));
}

}  // namespace

TEST_CASE("a resumed run may have other conditions and seeds; config.json has them all") {
  const test::Folder folder("resumed");
  const std::string out = folder.file("out");
  CHECK(prepare(out, study("only = [\"sft\"]\n")).empty());
  CHECK(prepare(out, study("seeds = [1]\nonly = [\"b\"]\n", condition_b)).empty());
  CHECK(keys(config(out)["condition"]) == std::vector<std::string>{"a", "b", "sft"});
  CHECK(config(out)["seeds"] == io::Json{0, 1});
  CHECK(config(out)["only"] == io::Json{"sft", "b"});
  CHECK(prepare(out, study()).empty());  // without b
  CHECK(config(out)["condition"]["b"]["rewards"]["format"]["weight"] == 1.0);
  CHECK(config(out)["seeds"] == io::Json{0, 1});
  CHECK(config(out)["only"] == io::Json::array());
  CHECK(contains(prepare(out, study("", condition_b + "grpo.kl = 0.5\n")),
                 "config.json, condition.b.grpo.kl: the run to be resumed has null, but 0.5"));
  CHECK(contains(prepare(out, study("[grpo]\nkl = 0.5\n")), "config.json, grpo.kl: "));
}

TEST_CASE("a resumed run has the claims that were declared before it") {
  const test::Folder folder("resumed");
  const std::string out = folder.file("out");
  const std::string claim =
      "[claim.c]\ntext = \"x\"\ncondition = \"a\"\nreference = \"sft\"\n"
      "metric = \"accuracy_sampled\"\nexpected = \"above\"\nmargin = ";
  CHECK(prepare(out, study("", claim + "0.03\n")).empty());
  const std::string why = "claims are declared before a run and cannot change";
  for (const auto& [text, difference] :
       {std::pair(study("", claim + "0.05\n"),
                  "config.json, claim.c.margin: the run to be resumed has 0.03, but 0.05"),
        std::pair(study(), "config.json, claim.c: the run to be resumed has {")}) {
    CHECK(contains(prepare(out, text), difference));
    CHECK(contains(prepare(out, text), why));
  }
}

TEST_CASE("results have every seed and condition that was run in the folder") {
  const test::Folder folder("resumed");
  const std::string out = folder.file("out");
  for (const char* condition : {"sft", "a", "gone"})
    for (const int seed : {0, 10, 2}) finish(out, condition, seed);
  finish(out, "gone", 0, "outcomes_t0.5.jsonl", "gone@0.5");
  fs::create_directories(out + "/arms/a/seed3");  // not finished
  fs::create_directories(out + "/arms/a/seedling");
  AblationSettings s = settings(study());
  s.seeds = {10};
  s.claims = {};
  collect_results({out}, s);
  std::set<std::pair<std::string, std::string>> rows;
  for (const ResultRow& row : read_results(out + "/results.csv"))
    rows.emplace(row.condition, row.seed);
  for (const char* condition : {"sft", "a", "gone"})
    for (const char* seed : {"0", "2", "10"}) CHECK(rows.count({condition, seed}) == 1);
  CHECK(rows.count({"gone@0.5", "0"}) == 1);
  CHECK(rows.count({"a", "3"}) == 0);
  const std::string log = io::read_file(out + "/metrics.jsonl");
  CHECK(log.rfind("{\"of\":\"sft0\"}\n{\"of\":\"a0\"}\n{\"of\":\"gone0\"}\n{\"of\":\"sft2\"}", 0) ==
        0);
}

TEST_CASE("a grid is resumed with everything that does not decide its results") {
  const test::Folder folder("resumed");
  const std::string out = folder.file("out");
  CHECK(prepare_grid(out, grid(), false).empty());
  CHECK(contains(prepare_grid(out, grid(), false), "pass --resume to continue"));
  const std::vector<StudyChange> harmless = {{"seeds", {1}, "--seed"},
                                             {"only", {"sft"}, "--only"},
                                             {"tensorboard", true, "--tensorboard"},
                                             {"checkpoint_every", 3, "--checkpoint-every"}};
  CHECK(prepare_grid(out, grid(), true, {"", harmless}).empty());
  CHECK(prepare_grid(out, grid("", condition_b)).empty());
  CHECK(prepare_grid(out, grid()).empty());
  const AblationSettings all = settings(io::read_file(out + "/study.toml"));
  CHECK(all.seeds == std::vector<std::int64_t>{0, 1});
  CHECK(all.only.empty());
  CHECK(all.conditions.size() == 3);
}

TEST_CASE("another grid is refused by the name of the first difference") {
  const test::Folder folder("resumed");
  const std::string out = folder.file("out");
  REQUIRE(prepare_grid(out, grid(), false).empty());
  const auto refused = [&](const std::string& text, const std::string& difference) {
    const std::string error = prepare_grid(out, text);
    INFO(error << "\nshould contain: " << difference);
    CHECK(contains(error, out + "/study.toml, " + difference));
  };
  refused(grid("data.seed = 5\n"), "data.seed: the run to be resumed has 1, but 5 was requested");
  refused(grid("", condition_b + "[reward.attention]\ncap = 2.0\n"), "reward.attention: ");
  refused(study("", "[grid]\n\"grpo.kl\" = [0.0, 0.2]\n"), "grid.grpo.kl[1]: ");
  refused(study("", "[grid]\n\"grpo.rate\" = [1.0]\n"), "grid.grpo.kl: ");
  refused(study("", "[grid]\n\"grpo.kl\" = [0, 0.1]\n"), "grid: run 1 of the study");
}

TEST_CASE("runs share a warm start only on the same files and validation problems") {
  const test::Folder folder("resumed");
  for (const char* name : {"one", "two"}) {
    fs::create_directories(folder.file(name));
    io::write_file(folder.file(name) + "/mine.jsonl", std::string_view("{}\n"));
  }
  const auto key = [](const std::string& text) { return warm_start_key(settings(text)); };
  const auto own = [&](const char* name) {
    return key(study("own.file = \"" + folder.file(name) + "/mine.jsonl\"\n"));
  };
  CHECK(own("one") != own("two"));
  CHECK(own("one") == own("one/../one"));
  AblationSettings a = settings(study()), b = a;
  a.own.file = "mine.jsonl";
  a.own.start = "one/model";
  b.own.file = "mine.jsonl";
  b.own.start = "two/model";
  CHECK(warm_start_key(a) != warm_start_key(b));
  CHECK(key(study("validation.scenes = 9\n")) != key(study()));
  CHECK(key(study("validation = { every = 0, scenes = 9 }\n")) ==
        key(study("validation = { every = 0, scenes = 8 }\n")));
  CHECK(key(study("grpo.kl = 0.5\n")) == key(study()));
}

}  // namespace test_resumed_study
