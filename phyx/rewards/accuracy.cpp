// SPDX-License-Identifier: MIT
// The accuracy reward.
#include "phyx/rewards/accuracy.hpp"

#include <optional>
#include <utility>

#include "phyx/answer/response.hpp"

namespace gaze::phyx {

// Only the strict parse counts: if a parser tolerates a missing tag, training soon drops the tag.
double accuracy_score(const RewardInput& in, const StrictRule& config) {
  const ParsedResponse& r = in.response;
  return r.well_formed && grade_answer(in.problem, r.answer, r.think, config).correct ? 1 : 0;
}

Reward make_accuracy_reward(StrictRule config, std::string name) {
  return {
      std::move(name),
      "A right answer: the letter, or the value within the tolerance after unit conversion.",
      "1[well-formed] * 1[answer right]",
      "A multiple choice is right by chance one time in four. The think text is not read, so it "
      "may become meaningless. A missing unit is not penalised.",
      0,
      1,
      [config](const RewardInput& in) { return std::optional(accuracy_score(in, config)); }};
}

RewardKind accuracy_kind() {
  struct Config {
    StrictRule rule;
  };
  OptionTable<Config> table;
  add_tolerance(table);
  return kind_of<Config>(table, [](const Config& c) { return make_accuracy_reward(c.rule); });
}

}  // namespace gaze::phyx
