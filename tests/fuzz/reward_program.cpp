// SPDX-License-Identifier: MIT
// Fuzz target: the output of a reward program to a batch of eight lines. The first byte is where it
// is cut in two; the same answers come from the pieces as from the whole.
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/rewards/answer_lines.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_reward_program {

using Answers = std::vector<std::optional<double>>;

/// Empty if the output is refused.
std::optional<Answers> read(std::string_view output, std::size_t cut) {
  gaze::phyx::AnswerLines lines("program", 0, 8);
  try {
    lines.add(output.substr(0, cut));
    lines.add(output.substr(cut));
  } catch (const gaze::Error&) {
    return std::nullopt;
  }
  return lines.answers();
}

void run(std::string_view input) {
  if (input.empty()) return;
  const std::string_view output = input.substr(1);
  const std::size_t cut = static_cast<unsigned char>(input[0]) % (output.size() + 1);
  const auto answers = read(output, cut);
  gaze::fuzz::require(answers == read(output, 0), "other answers from pieces");
  GAZE_CHECK(answers, "fuzz", "refused");
  for (const auto& a : *answers)
    gaze::fuzz::require(!a || std::isfinite(*a), "not a finite answer");
}

const gaze::fuzz::Target target("reward_program", run);

}  // namespace fuzz_reward_program
