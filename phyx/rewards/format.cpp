// SPDX-License-Identifier: MIT
// The format reward.
#include "phyx/rewards/format.hpp"

#include <optional>

#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"

namespace gaze::phyx {

double format_score(const RewardInput& in) {
  const ParsedResponse& r = in.response;
  const bool worded = text::has_word(r.think) && text::has_word(r.answer);
  return in.completion.ended && r.well_formed && worded ? 1 : 0;
}

Reward make_format_reward() {
  return {"format",
          "A complete response: one non-empty think element, then one non-empty answer element.",
          "1[well-formed and ended]",
          "Ignores content: one word in each element is enough. Trained alone, accuracy drifts in "
          "either direction by seed, because nothing constrains it.",
          0,
          1,
          [](const RewardInput& in) { return std::optional(format_score(in)); }};
}

RewardKind format_kind() {
  struct Config {};
  return kind_of<Config>({}, [](const Config&) { return make_format_reward(); });
}

}  // namespace gaze::phyx
