// SPDX-License-Identifier: MIT
// A small ablation that the program has finished, and runs that must end with the same files.
#pragma once
#include <chrono>
#include <sstream>
#include <string>

#include "gaze/io/json.hpp"
#include "tests/program.hpp"

namespace gaze::test {

inline Words training(const std::string& out, const Words& more = {}) {
  Words words = {"ablate", "--preset", "smoke", "--only", "accuracy", "--out", out};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// A finished run, made once per process.
struct Unbroken {
  std::string out = at("unbroken");
  double seconds = 0;
  Unbroken() {
    const auto start = std::chrono::steady_clock::now();
    const Done d = gaze_run(training(out, {"--checkpoint-every", "1"}));
    INFO(d.err);
    REQUIRE(d.code == 0);
    CHECK(d.out == out + "/report.html\n" + out + "/results.csv\n");
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::string model() const { return out + "/arms/accuracy/seed0"; }
  std::string data() const { return out + "/data/synth_test_new_OE.tsv"; }
};

inline const Unbroken& unbroken() {
  static const Unbroken u;
  return u;
}

/// metrics.jsonl without times.
inline std::string metrics_of(const std::string& out) {
  std::istringstream in(io::read_file(out + "/metrics.jsonl"));
  std::string all, line;
  while (std::getline(in, line)) {
    auto j = io::OrderedJson::parse(line);
    for (const char* key : {"step_time", "rollout_time", "tokens_per_second"}) j.erase(key);
    all += j.dump() + "\n";
  }
  return all;
}

inline void check_same_run(const std::string& out) {
  for (const char* file :
       {"arms/accuracy/seed0/model.safetensors", "warm/seed0/model.safetensors",
        "arms/accuracy/seed0/completions.jsonl", "arms/accuracy/seed0/outcomes.jsonl",
        "completions.jsonl", "results.csv", "tokenizer.json"}) {
    INFO(file);
    const bool same = io::read_file(out + "/" + file) == io::read_file(unbroken().out + "/" + file);
    CHECK(same);
  }
  CHECK(metrics_of(out) == metrics_of(unbroken().out));
}

}  // namespace gaze::test
