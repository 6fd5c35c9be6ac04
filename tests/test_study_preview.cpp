// SPDX-License-Identifier: MIT
// The text of `gaze ablate --check`.
#include "phyx/study/preview_text.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_study_preview {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using gaze::test::contains;

const std::string conditions = R"(
[condition.sft]
method = "none"
temperatures = [0.25, 0.6]
[condition.a]
method = "grpo"
rewards = { accuracy = 1.0, format = 0.5 }
)";

}  // namespace

TEST_CASE("the preview of a study names everything that its file sets about data and evaluation") {
  const std::string claim =
      "[claim.c]\ntext = \"x\"\ncondition = \"a\"\nreference = \"sft\"\n"
      "metric = \"accuracy_sampled\"\nexpected = \"above\"\n";
  const std::string text = study_text(parse_study(
      "[data]\ncues = true\ncue_strength = 0.9\nsft_templates = [\"push_acceleration\"]\n"
      "rl_templates = [\"fall_energy\"]\n" +
          conditions + claim,
      "my.toml"));
  INFO(text);
  CHECK(contains(text, "seeds 0, 1 claim\n"));
  CHECK(contains(text, "templates of supervised training: push_acceleration\n"));
  CHECK(contains(text, "templates of rft and grpo: fall_energy\n"));
  CHECK(contains(text, "text cues: a share of 0.9 right in supervised training"));
  CHECK(contains(text, "-; also at temperature 0.25, 0.6\n"));
  CHECK(contains(text, "1 accuracy + 0.5 format\n"));
  const std::string grid = study_text(parse_study(
      "data.cues = true\n" + conditions + "[grid]\n\"data.cue_strength\" = [0.9, 1]\n", "my.toml"));
  CHECK(contains(grid, "text cues: a share of 0.9, 1 right in supervised training"));
  const std::string plain = study_text(parse_study(conditions, "my.toml"));
  CHECK(contains(plain, "0 claims\ncondition "));
}

TEST_CASE("the time of a grid counts shared warm starts once") {
  const Study grid = parse_study("seeds = [0, 1]\n" + conditions +
                                     "[grid]\n\"grpo.kl\" = [0.0, 0.1, 0.2]\n"
                                     "\"warm_start.rate\" = [1e-3, 2e-3]\n",
                                 "my.toml");
  const std::string text = grid_text(grid, std::vector<TimeForecast>(6, {10, 1, 2}));
  CHECK(text ==
        "all 6 runs with 4 warm starts: about 76 s (warm starts 40 s, conditions 12 s, "
        "evaluation 24 s)\n");
}

}  // namespace test_study_preview
