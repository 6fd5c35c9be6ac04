// SPDX-License-Identifier: MIT
// A study whose reward is a program: its files, a resumed run, and the processes that it leaves.
#include <cstdlib>

#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/rewards/exec_reward.hpp"
#include "tests/data.hpp"
#include "tests/program.hpp"
#include "tests/shell_program.hpp"

namespace test_cli_exec_reward {
namespace {

using namespace gaze;
using namespace gaze::test;

// Answers 0 and 1 in turn, counted over all starts in $1/count: asked again, it answers otherwise.
const char* const alternating = R"(
echo $$ >>"$1/processes"
while IFS= read -r line; do
  n=$(cat "$1/count" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$1/count"; echo $((n % 2))
done
)";

const char* const settings = R"(
model = "nano"
max_tokens = 8
data = { train_scenes = 28, test_known = 14, test_new = 0 }
grpo = { steps = 2, prompts = 2, group = 4 }
evaluation = { samples = 1 }
validation = { every = 0 }
[warm_start]
letter_steps = 1
vision_steps = 1
caption_steps = 1
clean_steps = 2
mixed_steps = 1
batch = 4
[condition.turns]
method = "grpo"
)";

}  // namespace

TEST_CASE("answers of a program that is a reward are kept, and a resumed run does not ask again",
          "[slow]") {
  if (!have_program()) return;
  const std::string folder = at("state"), script = at("turns.sh"), study = at("study.toml");
  const std::string out = at("out"), arm = out + "/arms/turns/seed0";
  fs::create_directories(folder);
  io::write_file(script, alternating);
  const std::string exec = "[\"sh\", \"" + script + "\", \"" + folder + "\"]";
  io::write_file(study, settings + ("rewards = { coin = { exec = " + exec + " } }\n"));
  const Words words = {"ablate", "--study", study, "--out", out};
  const Done first = gaze_run(words);
  INFO(first.err);
  REQUIRE(first.code == 0);

  const std::string weights = io::sha256_file(arm + "/model.safetensors"),
                    outcomes = io::sha256_file(arm + "/outcomes.jsonl");
  const std::string count = io::read_file(folder + "/count");
  // In the training, and again for the answers to the test problems.
  CHECK(json_lines(arm + "/coin.answers.jsonl").size() +
            json_lines(arm + "/test.turns.coin.answers.jsonl").size() ==
        std::stoul(count));
  CHECK(fs::exists(arm + "/coin.log"));
  const auto config = io::read_json_object(out + "/config.json");
  CHECK(config["programs"]["turns"]["coin"] == phyx::program_digest({"sh", script, folder}));
  CHECK(config["condition"]["turns"]["rewards"]["coin"]["exec"][1] == script);
  const std::vector<pid_t> processes = numbers_in(folder + "/processes");
  CHECK(processes.size() == 2);
  for (const pid_t process : processes) CHECK_FALSE(runs(process));

  // As if the run had been killed at its last step.
  for (const char* name : {"/model.safetensors", "/outcomes.jsonl", "/metrics.jsonl"})
    fs::remove(arm + name);
  Words resumed = words;
  resumed.push_back("--resume");
  const Done second = gaze_run(resumed);
  INFO(second.err);
  REQUIRE(second.code == 0);
  CHECK(io::read_file(folder + "/count") == count);
  CHECK(io::sha256_file(arm + "/model.safetensors") == weights);
  CHECK(io::sha256_file(arm + "/outcomes.jsonl") == outcomes);

  io::write_file(script, alternating + std::string("# edited\n"));
  const Done edited = gaze_run(resumed);
  CHECK(edited.code == 2);
  CHECK(contains(edited.err, "programs.turns.coin"));
}

TEST_CASE("a study with a program that does not exist is refused before it runs") {
  if (!have_program()) return;
  const std::string study = at("missing.toml"), out = at("missing");
  io::write_file(study,
                 std::string(settings) + "rewards = { mine = { exec = [\"./no_such\"] } }\n");
  refused({"ablate", "--study", study, "--out", out}, {"missing.toml:17", "no_such"}, out);
  io::write_file(study, std::string(settings) + "rewards = { mine = { exec = \"sh\" } }\n");
  refused({"ablate", "--study", study, "--out", out},
          {"missing.toml:17", "exec.exec", "is not a list of texts"}, out);
  io::write_file(study, std::string(settings) + "rewards = { exec = { seconds = 3 } }\n");
  refused({"ablate", "--study", study, "--out", out}, {"needs the option 'exec'"}, out);
}

TEST_CASE("the example of programs as rewards is a valid study") {
  if (!have_program()) return;
  const fs::path before = fs::current_path();
  fs::current_path(repository_path("."));
  const Done d = gaze_run({"ablate", "--study", "examples/rewards/study.toml", "--print"});
  fs::current_path(before);
  INFO(d.err);
  if (std::system("command -v python3 >/dev/null 2>&1") == 0) {
    CHECK(d.code == 0);
    CHECK(contains(d.out, "\"examples/rewards/my_reward.py\""));
  } else {
    CHECK(d.code == 2);
    CHECK(contains(d.err, "study.toml:27: python3: no such program in PATH"));
  }
}

}  // namespace test_cli_exec_reward
