// SPDX-License-Identifier: MIT
// Rewards computed by a program: the lines it gets, the example in a shell, and the kept answers.
#include "phyx/rewards/exec_reward.hpp"

#include <fstream>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/rewards/registry.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/shell_program.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_exec_reward {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test;

using Answers = std::vector<std::optional<double>>;

Problem lever() {
  Problem p;
  p.index = "7";
  p.form = Form::mc;
  p.question = "Which \"force\"?\nA: 1 N";
  p.options = {"1 N", "2 N", "3 N", "4 N"};
  p.answer = "B";
  p.reasoning = {"Numerical Reasoning"};
  p.split = "train";
  p.template_id = "lever_balance";
  p.image = {1, 2, 3};
  p.solution.unit = "N";
  return p;
}

Completion completion(const std::string& text, int length) {
  Completion c;
  c.text = text;
  c.length = length;
  return c;
}

const char* const right = "<think> so 2 N : B </think> <answer> B </answer>";

/// Rewards of completions of one problem, as one batch.
struct Scored {
  Problem problem = lever();
  std::vector<Completion> completions;

  Answers by(const Reward& reward) const {
    std::vector<RewardInput> inputs;
    for (const auto& c : completions) inputs.emplace_back(problem, c);
    return reward.score_batch(inputs);
  }
};

/// Completions with `count` different texts.
Scored different(int count) {
  Scored out;
  for (int i = 0; i < count; ++i) out.completions.push_back(completion(std::to_string(i), i));
  return out;
}

// Answers 1, 2, 3, … in the order of the lines, counted over all starts.
const char* const counter = R"(
while IFS= read -r line; do
  n=$(cat "$1/count" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$1/count"; echo $n
  printf '%s\n' "$line" >>"$1/lines"
done
)";

TEST_CASE("the shell example scores completions") {
  const std::string script = repository_path("examples/rewards/my_reward.sh");
  const Reward reward = make_exec_reward("short", {"/bin/sh", script});
  CHECK(reward.name == "short");
  CHECK(contains(reward.doc, "my_reward.sh"));
  Scored set;
  set.completions = {completion(right, 12), completion(right, 24), completion(right, 48),
                     completion("no tags", 3),
                     completion("\"ended\":true \"well_formed\":true \"length\":1,", 9)};
  set.completions.push_back(completion(right, 10));
  set.completions.back().ended = false;
  CHECK(set.by(reward) == Answers{1, 1, 0.5, 0, 0, 0});
  CHECK(reward.score({set.problem, set.completions[2]}) == 0.5);
}

TEST_CASE("a program of another range or without a number for some completions") {
  const Folder folder("exec_range");
  const auto exec = shell_program(
      folder,
      "while read -r l; do case $l in *'\"length\":1,'*) echo null;; *) echo 3;; esac; done");
  ExecRewardSettings settings;
  settings.high = 3;
  CHECK(different(3).by(make_exec_reward("r", exec, settings)) == Answers{3, std::nullopt, 3});
  const std::string error = error_of([&] { different(3).by(make_exec_reward("r", exec)); });
  CHECK(contains(error, "answered 3, outside its range of 0 to 1"));
}

TEST_CASE("one completion as JSON") {
  const Problem problem = lever();
  Completion c = completion(right, 2);
  c.tokens = {"<think>", "\xff"};
  c.attention = {2, 1, 2, {"image", "sink"}, {.5f, .1f, .25f, .1f, 1, 0, 0, 0}, {9, 10}, 4, 0};
  const std::string line = completion_json({problem, c}, false);
  CHECK(!contains(line, "\n"));
  const auto j = io::parse_json(line, "line");
  CHECK(j["text"] == right);
  CHECK(j["ended"] == true);
  CHECK(j["length"] == 2);
  CHECK(j["well_formed"] == true);
  CHECK(j["think"] == "so 2 N : B");
  CHECK(j["answer"] == "B");
  CHECK(j["tokens"] == io::Json({"<think>", "\xEF\xBF\xBD"}));
  CHECK(j["attention"]["mass"] == io::Json({{"image", {0.375, 0.5}}, {"sink", {0.1, 0.0}}}));
  CHECK(j["attention"]["keys"] == io::Json({9, 10}));
  CHECK(j["attention"]["image_tokens"] == 4);
  CHECK(j["attention"]["region_tokens"] == 0);
  const auto& p = j["problem"];
  CHECK(p["index"] == "7");
  CHECK(p["form"] == "mc");
  CHECK(p["question"] == problem.question);
  CHECK(p["options"].size() == 4);
  CHECK(p["answer"] == "B");
  CHECK(p["reasoning"] == io::Json({"Numerical Reasoning"}));
  CHECK(p["template"] == "lever_balance");
  CHECK(p["has_image"] == true);
  CHECK(p["solution"]["unit"] == "N");
  CHECK(!p.contains("image"));
  CHECK(io::parse_json(completion_json({problem, c}, true), "line")["problem"]["image"] == "AQID");

  c.attention = {};
  CHECK(io::parse_json(completion_json({problem, c}, false), "line")["attention"].is_null());
  c.attention.tokens = 3;
  CHECK(contains(error_of([&] { completion_json({problem, c}, false); }), "its sizes say"));
}

TEST_CASE("batches have the chosen size, and say how many lines remain") {
  const Folder folder("exec_batch");
  ExecRewardSettings settings;
  settings.batch = 2;
  settings.high = 100;
  const auto exec = shell_program(folder, counter);
  CHECK(different(5).by(make_exec_reward("r", exec, settings)) == Answers{1, 2, 3, 4, 5});
  std::vector<int> remaining;
  for (const auto& line : json_lines(folder.file("lines"))) remaining.push_back(line["remaining"]);
  CHECK(remaining == std::vector<int>{1, 0, 1, 0, 0});
  settings.batch = 0;
  CHECK(contains(error_of([&] { make_exec_reward("r", exec, settings); }), "batch must be 1"));
  settings.batch = 1;
  settings.low = 100;
  CHECK(contains(error_of([&] { make_exec_reward("r", exec, settings); }), "low must be below"));
}

TEST_CASE("equal completions are asked once") {
  const Folder folder("exec_equal");
  ExecRewardSettings settings;
  settings.high = 100;
  const Reward reward = make_exec_reward("r", shell_program(folder, counter), settings);
  Scored set = different(2);
  set.completions.push_back(set.completions[0]);
  CHECK(set.by(reward) == Answers{1, 2, 1});
  CHECK(set.by(reward) == Answers{1, 2, 1});
  const Reward copy = reward;
  CHECK(set.by(copy) == Answers{1, 2, 1});
}

TEST_CASE("a resumed run gets the answers of the killed one without asking again") {
  const Folder folder("exec_resume");
  const auto exec = shell_program(folder, counter);
  ExecRewardSettings settings;
  settings.high = 100;
  settings.answers = folder.file("answers.jsonl");
  const Answers first = different(3).by(make_exec_reward("r", exec, settings));
  CHECK(first == Answers{1, 2, 3});
  std::ofstream(settings.answers, std::ios::app) << "{\"key\":\"ab";  // killed in the middle
  std::ofstream(folder.file("count")) << 70 << "\n";
  CHECK(different(4).by(make_exec_reward("r", exec, settings)) == Answers{1, 2, 3, 71});
  CHECK(json_lines(settings.answers).size() == 4);
  CHECK(different(4).by(make_exec_reward("r", exec, settings)) == Answers{1, 2, 3, 71});
  CHECK(folder.read("count") == "71\n");

  // An edited program is another one.
  folder.put("program.sh", "while read -r l; do echo 9; done");
  CHECK(different(2).by(make_exec_reward("r", exec, settings)) == Answers{9, 9});
}

TEST_CASE("kept answers keep their bits and their absence") {
  const Folder folder("exec_cache");
  const std::string path = folder.file("answers.jsonl");
  {
    AnswerCache cache(path);
    cache.add("a", 0.1 + 0.2);
    cache.add("b", std::nullopt);
    cache.add("c", -1e-300);
    cache.sync();
    CHECK(contains(error_of([&] { cache.add("a", 1); }), "'a' has an answer already"));
    CHECK(contains(error_of([&] { AnswerCache{path}; }), "another process is writing it"));
  }
  const AnswerCache cache(path);
  CHECK(cache.size() == 3);
  REQUIRE(cache.find("a"));
  CHECK(*cache.find("a") == 0.1 + 0.2);
  REQUIRE(cache.find("b"));
  CHECK(!cache.find("b")->has_value());
  CHECK(*cache.find("c") == -1e-300);
  CHECK(!cache.find("d"));
}

TEST_CASE("a damaged file of answers is an error with its line") {
  const Folder folder("exec_damaged");
  const auto error = [&](const std::string& text) {
    const std::string path = folder.put("answers.jsonl", text);
    const std::string said = error_of([&] { AnswerCache{path}; });
    CHECK(io::read_file(path) == text);
    return said;
  };
  CHECK(contains(error("{\"loss\":1}\n"), "line 1: not a line of this log"));
  CHECK(contains(error("{\"key\":\"a\",\"answer\":1}\n{\"key\":\"b\",\"answer\":\"1\"}\n"),
                 "line 2: not a text and a number or null"));
  CHECK(contains(error("{\"key\":\"a\"}\n"), "no 'answer'"));
}

TEST_CASE("the digest of a program depends on its words and files") {
  const Folder folder("exec_digest");
  const std::string file = folder.put("a.py", "1");
  const std::string before = program_digest({"python3", file});
  CHECK(before == program_digest({"python3", file}));
  CHECK(before != program_digest({"python3", file, ""}));
  CHECK(before != program_digest({"python3 ", file}));
  folder.put("a.py", "2");
  CHECK(before != program_digest({"python3", file}));
}

TEST_CASE("the options of a program have the ranges that it accepts") {
  for (const char* name : {"seconds", "end_seconds"}) {
    INFO(name);
    const auto made = [&](double value) {
      return error_of([&] { make_reward("exec", {{"exec", {"cat"}}, {name, value}}); });
    };
    for (const double fine : {1e-3, 1e6}) CHECK(made(fine).empty());
    for (const double bad : {0.0, 1e-4, 2e6}) {
      CHECK(contains(made(bad), std::string("exec.") + name));
      CHECK(contains(made(bad), "is not 0.001 to 1000000"));
    }
  }
}

TEST_CASE("a missing program is an error before the first completion") {
  CHECK(contains(error_of([] { make_exec_reward("r", {"./no_such_reward"}); }),
                 "./no_such_reward: not an executable file"));
}

}  // namespace
}  // namespace test_exec_reward
