// SPDX-License-Identifier: MIT
// Runs and evaluations of the program that are killed or interrupted and resumed end with the files
// of an unbroken one.
#include <chrono>
#include <csignal>
#include <thread>

#include "gaze/io/json.hpp"
#include "gaze/io/tensorboard.hpp"
#include "tests/event_records.hpp"
#include "tests/finished_run.hpp"
#include "tests/program.hpp"

namespace test_cli_resume {

using namespace gaze;
using namespace gaze::test;

namespace {

/// Seconds after which to kill runs, uniform in [0, `most`), from the time of day.
class Moments {
 public:
  explicit Moments(double most) : most_(most) {}
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return most_ * static_cast<double>(state_ >> 40) / (1 << 24);
  }

 private:
  double most_;
  std::uint64_t state_ =
      static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
};

/// Temporary files in a run's folder, and its lock.
int leftovers(const std::string& out) {
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(out))
    for (const char* left : {".tmp", ".lock"}) count += contains(entry.path().string(), left);
  return count;
}

void check_finished(const std::string& out) {
  check_same_run(out);
  for (const char* trained : {"/warm/seed0/", "/arms/accuracy/seed0/"})
    CHECK(read_events(out + trained + io::event_file_name).size() ==
          occurrences(io::read_file(out + trained + "metrics.jsonl"), "\n"));
  CHECK(leftovers(out) == 0);
}

}  // namespace

// GAZE_KILLS: another number of kills, reported with the files that they left.
TEST_CASE("a run killed at any moment and resumed writes the files of an uninterrupted one",
          "[slow]") {
  if (!have_program()) return;
  const std::string out = at("killed");
  const Words words = training(out, {"--checkpoint-every", "1", "--resume", "--tensorboard"});
  const char* const wanted = std::getenv("GAZE_KILLS");
  Moments moments(unbroken().seconds);
  std::string when;
  int left = 0, finished = 0;
  for (int kills = wanted ? std::atoi(wanted) : 6; kills > 0;) {
    const double seconds = moments.next();
    when += " " + std::to_string(seconds);
    INFO("killed after seconds" << when);
    const Started run(words);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    run.signal(SIGKILL);
    const Done d = run.wait();
    INFO(d.err);
    REQUIRE((d.code == -SIGKILL || d.code == 0));
    if (d.code != 0) {
      --kills;
      left += fs::exists(out) ? leftovers(out) : 0;
      continue;
    }
    check_finished(out);
    ++finished;
    fs::remove_all(out);  // further kills are of another run
  }
  INFO("killed after seconds" << when);
  const Done rest = gaze_run(words);
  INFO(rest.err);
  REQUIRE(rest.code == 0);
  check_finished(out);
  if (wanted)
    WARN(wanted << " kills of " << finished + 1 << " runs left " << left << " files, now removed");
}

TEST_CASE(
    "an evaluation killed or interrupted and resumed writes the files of an uninterrupted one",
    "[slow]") {
  if (!have_program()) return;
  const auto eval = [](const std::string& out, const Words& more = {}) {
    Words words = {"eval",
                   "--model",
                   unbroken().model(),
                   "--out",
                   out,
                   "--data",
                   unbroken().data(),
                   unbroken().out + "/data/synth_test_known_MC.tsv",
                   "--batch",
                   "1",
                   "--samples",
                   "2",
                   "--max-tokens",
                   "24"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  REQUIRE(gaze_run(eval(at("eval_whole"))).code == 0);
  const std::string out = at("eval_killed"), log = out + "/predictions.jsonl";
  std::uintmax_t size = 0;
  for (const int signal : {SIGKILL, SIGINT, SIGKILL}) {
    const Started run(eval(out, {"--resume"}));
    for (int i = 0; i < 6000 && (!fs::exists(log) || fs::file_size(log) < size + 3000); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    run.signal(signal);
    const Done d = run.wait();
    INFO(d.err);
    REQUIRE((d.code == (signal == SIGINT ? 130 : -SIGKILL) || d.code == 0));
    size = fs::file_size(log);
  }
  refused(eval(out), {"eval.json: folder already contains an evaluation"});
  refused(eval(out, {"--resume", "--seed", "4"}), {"eval.json, evaluation.seed: "});
  REQUIRE(gaze_run(eval(out, {"--resume"})).code == 0);
  for (const auto& entry : fs::directory_iterator(at("eval_whole"))) {
    const auto name = entry.path().filename();
    INFO(name.string());
    CHECK((io::read_file(entry.path().string()) == io::read_file((fs::path(out) / name).string())));
  }
}

TEST_CASE("an interrupted run saves, reports it, exits with 130 and can resume", "[slow]") {
  if (!have_program()) return;
  const std::string out = at("interrupted"), log = out + "/warm/seed0/metrics.jsonl";
  const Started run(training(out, {"--checkpoint-every", "100"}));
  for (int i = 0; i < 3000 && (!fs::exists(log) || fs::file_size(log) == 0); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  run.signal(SIGINT);
  const Done d = run.wait();
  INFO(d.err);
  CHECK(d.code == 130);
  CHECK(contains(d.err, "--resume"));
  CHECK(contains(d.err, "saved in"));
  CHECK(fs::exists(out + "/warm/seed0/state.safetensors"));
  const auto seconds = [&] {
    return io::read_json_object(out + "/config.json")["seconds"].get<double>();
  };
  const double before = seconds();
  CHECK(before > 0.01);  // the time until the interruption counts
  CHECK(gaze_run(training(out, {"--resume"})).code == 0);
  CHECK(seconds() > before);
  check_same_run(out);
}

}  // namespace test_cli_resume
