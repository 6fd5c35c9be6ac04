// SPDX-License-Identifier: MIT
// A custom reward in a study. A reward is a named function of a problem and a completion; once
// added, a study file names it like the built-in ones. This program is `gaze ablate` with one more
// reward:
//   example_10_own_reward 10_own_reward.toml out
#include <algorithm>
#include <cstdio>
#include <optional>

#include "gaze/core/error.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/run_study.hpp"

using namespace gaze;
using namespace gaze::phyx;

namespace {

// Rewards short right answers: 1 up to `words` words, then less.
RewardKind brevity() {
  RewardKind kind;
  kind.name = "brevity";
  kind.doc = "A right answer in few words.";
  kind.formula = "accuracy * min(1, words / length)";
  kind.cheats = "Leaves out the thinking as soon as a guess does as well.";
  kind.low = 0;
  kind.high = 1;
  kind.options.push_back({"words", OptionType::integer, 12, "length with full marks", {1, 1000}});
  kind.make = [kind](const io::Json& options) {
    const double words = options["words"].get<double>();
    return Reward{kind.name,
                  kind.doc,
                  kind.formula,
                  kind.cheats,
                  kind.low,
                  kind.high,
                  [words](const RewardInput& in) {
                    const auto length = text::split_words(in.completion.text).size();
                    return std::optional(accuracy_score(in) *
                                         std::min(1.0, words / static_cast<double>(length + 1)));
                  }};
  };
  return kind;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s STUDY.toml OUT\n", argv[0]);
    return 2;
  }
  try {
    add_reward(brevity());
    StudyRunOptions options;
    options.out = argv[2];
    options.resume = true;
    options.listener.begin = [](const std::string& what) { std::printf("%s\n", what.c_str()); };
    run_study(read_study(argv[1]), options);
    std::printf("%s/report.html\n", argv[2]);
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
