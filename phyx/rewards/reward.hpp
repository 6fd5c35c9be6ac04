// SPDX-License-Identifier: MIT
// A reward: a named function of a problem and a completion, with its formula and the ways in which
// it is known to be cheated. registry.hpp has the rewards by name.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "phyx/answer/response.hpp"
#include "phyx/completion.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// The input of every reward. The response is parsed once, here. Keeps references to both
/// arguments.
struct RewardInput {
  RewardInput(const Problem& p, const Completion& c)
      : problem(p), completion(c), response(parse_response(c.text)) {}

  const Problem& problem;
  const Completion& completion;
  ParsedResponse response;  // of completion.text
};

/// A reward. `score` returns nothing where the reward is undefined, e.g. attention without a trace.
struct Reward {
  std::string name;
  std::string doc;      // the behaviour it pays for
  std::string formula;  // as text, for reports
  std::string cheats;   // how models are known to raise it without getting better
  double low = 0, high = 1;
  std::function<std::optional<double>(const RewardInput&)> score;
  std::function<std::vector<std::optional<double>>(std::span<const RewardInput>)> score_batch =
      {};  // empty: score() one by one
};

}  // namespace gaze::phyx
