// SPDX-License-Identifier: MIT
// The format reward: 1 for a complete, well-formed response that says something, else 0.
#pragma once
#include "phyx/answer/response.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// Exactly one think and then exactly one answer element, each with at least one letter or digit,
/// nothing around them, and the completion ended by itself.
inline double format_score(const Completion& completion) {
  if (!completion.ended) return 0;
  const ParsedResponse parsed = parse_response(completion.text);
  const bool says = strings::has_word(parsed.think) && strings::has_word(parsed.answer);
  return parsed.well_formed && says ? 1 : 0;
}

inline Reward make_format_reward() {
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
