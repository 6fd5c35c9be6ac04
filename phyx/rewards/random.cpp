// SPDX-License-Identifier: MIT
// Drawing the reward by the address of the completion.
#include "phyx/rewards/random.hpp"

#include "gaze/core/philox.hpp"
#include "phyx/hash.hpp"

namespace gaze::phyx {

std::optional<double> random_score(const RewardInput& in, const RandomConfig& config) {
  if (!in.draw) return std::nullopt;
  const Philox random(in.draw->seed, Purpose::reward);
  const auto problem =
      text_key(full_index(in.problem) + (in.problem.form == Form::mc ? "/mc" : "/oe"));
  return random.uniform(in.draw->sample, problem) < config.probability ? 1 : 0;
}

RewardKind random_kind() {
  using C = RandomConfig;
  OptionTable<C> table;
  table.add("probability", &C::probability, "probability of a 1", {0, 1});
  return kind_of<C>(table, [](const C& c) {
    Reward out;
    out.name = "random";
    out.doc = "A coin flip that ignores the response: a control.";
    out.formula = "Bernoulli(probability), drawn by (seed, problem, sample)";
    out.cheats =
        "Nothing can raise it. It still changes a model: clipping and the mixed-in format reward "
        "favour what the model already does.";
    out.score = [c](const RewardInput& in) { return random_score(in, c); };
    return out;
  });
}

}  // namespace gaze::phyx
