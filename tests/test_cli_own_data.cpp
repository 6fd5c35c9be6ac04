// SPDX-License-Identifier: MIT
// The program on one's own data: the example of docs/own_data.md, and what it refuses.
#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"
#include "tests/data.hpp"
#include "tests/program.hpp"

namespace test_cli_own_data {
namespace {

using namespace gaze;
using namespace gaze::test;

std::string example() { return repository_path("examples/own_data/mine.jsonl"); }

Words on_example(const std::string& command, const std::string& out, const Words& more = {}) {
  Words words = {command, "--preset", "smoke", "--data", example(), "--out", out};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("options of own data are refused before a run begins") {
  if (!have_program()) return;
  const std::string out = at("refused");
  refused(on_example("grpo", out, {"--reward", "rubric"}),
          {"mine.jsonl line ", ", solution.principle: missing; the reward rubric needs it"}, out);
  refused(on_example("grpo", out, {"--hold-out", "1"}), {"--hold-out"}, out);
  refused(on_example("grpo", out, {"--data", example()}), {"--data takes one JSONL file"}, out);
  refused(on_example("sft", out, {"--corruption", "0.5"}), {"--corruption"}, out);
  refused(on_example("grpo", out, {"--model", "nano", "--start", "."}), {"--start"}, out);
  refused({"grpo", "--out", out, "--hold-out", "0.5"}, {"--data"}, out);
  const std::string text = at("template.txt");
  io::write_file(text, "{image} alone\n");
  refused(on_example("grpo", out, {"--prompt-template", text}),
          {text + ": must contain {question} exactly once"}, out);
}

TEST_CASE("the documented example trains, resumes and is evaluated", "[slow]") {
  if (!have_program()) return;
  const std::string sft = at("sft"), grpo = at("grpo"), eval = at("eval");
  const std::string prompt = repository_path("examples/own_data/prompt.txt");
  const Done first =
      gaze_run(on_example("sft", sft, {"--sft-steps", "3", "--prompt-template", prompt}));
  INFO(first.err);
  REQUIRE(first.code == 0);
  const Words second = on_example(
      "grpo", grpo, {"--reward", "accuracy", "--steps", "2", "--start", sft + "/arms/sft/seed0"});
  const Done done = gaze_run(second);
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.out == grpo + "/report.html\n" + grpo + "/results.csv\n");
  const auto config = io::read_json_object(grpo + "/config.json");
  CHECK(config["data"]["files"]["mine.jsonl"] == io::sha256_file(example()));
  CHECK(config["data"]["files"].contains("mine.jsonl, pictures"));
  CHECK(config["prompts"]["problem"] == "<|user|>{image} {question} {options}<|assistant|>");
  CHECK(json_lines(grpo + "/data/split.jsonl").size() == 10);

  Words resumed = second;
  resumed.push_back("--resume");
  CHECK(gaze_run(resumed).code == 0);
  resumed.insert(resumed.end(), {"--hold-out-seed", "3"});
  refused(resumed, {"data.hold_out_seed"});

  const Done evaluated =
      gaze_run({"eval", "--schema", "own", "--model", grpo + "/arms/accuracy/seed0", "--data",
                example(), "--out", eval, "--samples", "1"});
  INFO(evaluated.err);
  REQUIRE(evaluated.code == 0);
  CHECK(json_lines(eval + "/predictions.jsonl").size() == 10);
}

}  // namespace test_cli_own_data
