// SPDX-License-Identifier: MIT
// Comparing an answer with that to a swapped picture.
#include "phyx/rewards/contrast.hpp"

#include <string>
#include <utility>
#include <vector>

#include "phyx/rewards/accuracy.hpp"

namespace gaze::phyx {

std::optional<double> contrast_score(const RewardInput& in, const ContrastConfig& config) {
  const bool twin = config.second == SecondAnswer::twin;
  if (!(twin ? in.given.twin_swapped : in.given.answer_swapped)) return std::nullopt;
  const double right = accuracy_score(in, config.rule);
  const Completion* second = twin ? in.twin : in.swapped;
  if (!second) return right;
  return right * (1 + config.weight * (1 - accuracy_score({in.problem, *second}, config.rule)));
}

RewardKind contrast_kind() {
  using C = ContrastConfig;
  OptionTable<C> table;
  table.add("weight", &C::weight, "bonus of an answer that depends on the picture", {0});
  table.add_choice("second", &C::second,
                   "the answer with a swapped picture: sampled with the completion's own random "
                   "numbers, or greedy, once per prompt",
                   std::vector<std::pair<std::string, SecondAnswer>>{
                       {"twin", SecondAnswer::twin}, {"greedy", SecondAnswer::greedy}});
  add_tolerance(table);
  return kind_of<C>(table, [](const C& c) {
    Reward out;
    out.name = "contrast";
    out.doc =
        "A right answer that the same policy does not give with the picture of another problem. "
        "Costs a second answer, to every completion or with second = greedy to every prompt.";
    out.formula = "1[right] * (1 + weight * (1 - 1[right with a swapped picture]))";
    out.cheats =
        "Being wrong with the other picture is enough: malformed or random text there earns the "
        "bonus too, so chance answers that vary gain over sure ones. With second = greedy and "
        "advantages divided by the group's deviation the bonus cancels.";
    out.high = 1 + c.weight;
    out.score = [c](const RewardInput& in) { return contrast_score(in, c); };
    (c.second == SecondAnswer::twin ? out.needs.twin_swapped : out.needs.answer_swapped) = true;
    return out;
  });
}

}  // namespace gaze::phyx
