// SPDX-License-Identifier: MIT
// The accuracy reward.
#include "phyx/rewards/accuracy.hpp"

#include <optional>
#include <utility>

#include "phyx/answer/response.hpp"

namespace gaze::phyx {

// Reads only the strictly parsed answer element: where a parser forgives a missing tag, training
// soon leaves the tag out.
double accuracy_score(const RewardInput& in, const JudgeConfig& config) {
  const ParsedResponse parsed = parse_response(in.completion.text);
  if (!parsed.well_formed) return 0;
  return judge_answer(in.problem, parsed.answer, parsed.think, config).correct ? 1 : 0;
}

Reward make_accuracy_reward(JudgeConfig config, std::string name) {
  return {std::move(name),
          "A right answer: the letter, or the value within 2 % after unit conversion.",
          "1[well-formed] * 1[answer right]",
          "A multiple choice is right by chance in one of four. The think text is not read, so it "
          "may become empty talk. A missing unit goes unpunished.",
          0,
          1,
          [config](const RewardInput& in) { return std::optional(accuracy_score(in, config)); }};
}

}  // namespace gaze::phyx
