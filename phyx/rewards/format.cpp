// SPDX-License-Identifier: MIT
// The format reward.
#include "phyx/rewards/format.hpp"

#include <optional>

#include "phyx/answer/response.hpp"

namespace gaze::phyx {

double format_score(const Completion& completion) {
  if (!completion.ended) return 0;
  const ParsedResponse parsed = parse_response(completion.text);
  const bool says = strings::has_word(parsed.think) && strings::has_word(parsed.answer);
  return parsed.well_formed && says ? 1 : 0;
}

Reward make_format_reward() {
  return {"format",
          "A complete response: one non-empty think element, then one non-empty answer element.",
          "1[well-formed and ended]",
          "Says nothing about content: one word in each element is enough. Trained alone, accuracy "
          "drifts either way from seed to seed, because nothing holds it.",
          0,
          1,
          [](const RewardInput& in) { return std::optional(format_score(in.completion)); }};
}

}  // namespace gaze::phyx
