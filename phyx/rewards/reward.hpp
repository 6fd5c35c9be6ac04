// SPDX-License-Identifier: MIT
// What a reward is: a named function of a problem and a completion, with its formula and the ways
// in which it is known to be cheated written beside it. The named collection is in registry.hpp.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "phyx/completion.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

struct RewardInput {
  const Problem& problem;
  const Completion& completion;
};

/// A reward. `score` gives nothing where the reward has no meaning, e.g. attention without a trace.
struct Reward {
  std::string name;
  std::string doc;      // what it pays for
  std::string formula;  // as text, for reports
  std::string cheats;   // how models are known to raise it without getting better
  double low = 0, high = 1;
  std::function<std::optional<double>(const RewardInput&)> score;
};

}  // namespace gaze::phyx
