// SPDX-License-Identifier: MIT
// Scoring the second answer, and the weighted sum.
#include "phyx/rewards/vision_sr1.hpp"

#include "phyx/answer/arithmetic.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/format.hpp"
#include "phyx/rewards/rubric.hpp"

namespace gaze::phyx {

std::optional<double> perception_score(const RewardInput& in, const VisionSr1Config& config) {
  if (!in.from_look) return std::nullopt;
  const RewardInput second(in.problem, *in.from_look);
  if (config.refuse_equations) {
    const ThinkSections think = split_think(second.response.think);
    if (think.look.size() > longest_think || !find_equations(think.look).empty()) return 0.0;
  }
  return accuracy_score(second, config.rule);
}

std::optional<double> vision_sr1_score(const RewardInput& in, const VisionSr1Config& config) {
  const auto perception = perception_score(in, config);
  if (!perception) return std::nullopt;
  const double formed = format_score(in);
  return config.accuracy * accuracy_score(in, config.rule) + config.format * formed +
         config.perception * formed * *perception;
}

RewardKind vision_sr1_kind() {
  using C = VisionSr1Config;
  OptionTable<C> table;
  table.add("accuracy", &C::accuracy, "weight of a right answer", {0});
  table.add("format", &C::format, "weight of a complete, well-formed response", {0});
  table.add("perception", &C::perception,
            "weight of a right second answer, from the look section without the picture, to a "
            "complete, well-formed response",
            {0});
  table.add("refuse_equations", &C::refuse_equations,
            "no such weight for a look section that contains an equation");
  add_tolerance(table);
  return kind_of<C>(table, [](const C& c) {
    Reward out;
    out.name = "vision_sr1";
    out.doc =
        "A right answer, format, and a look section from which the policy itself finds the answer "
        "without the picture. Costs a second, greedy answer to every completion.";
    out.formula =
        "accuracy * 1[right] + 1[well-formed and ended] * (format + perception * 1[right from "
        "question and own look section, without the picture])";
    out.cheats =
        "A look section that states the answer instead of what is seen earns the point. Problems "
        "that the text decides earn it without looking, and multiple choice one time in four.";
    out.high = c.accuracy + c.format + c.perception;
    out.ungated = [c](const RewardInput& in) { return perception_score(in, c); };
    out.score = [c](const RewardInput& in) { return vision_sr1_score(in, c); };
    out.needs.answer_from_look = true;
    return out;
  });
}

}  // namespace gaze::phyx
