// SPDX-License-Identifier: MIT
// What a reward is: a named function of a problem and a completion, with its formula and the ways
// in which it is known to be cheated written beside it. The named collection is in registry.hpp.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// What the model attended to while generating: the attention mass that the query row which
/// produced a token put on each marked set of keys, as
/// mass[((token * layers + layer) * heads + head) * marks.size() + mark], each in [0, 1].
struct AttentionTrace {
  int tokens = 0, layers = 0, heads = 0;
  std::vector<std::string> marks;  // "image", "region", "sink"
  std::vector<float> mass;
  std::vector<int> keys;  // visible keys per generated token
  int image_tokens = 0, region_tokens = 0;
};

/// One sampled response. `tokens` are the texts of the generated tokens, in step with the trace.
struct Completion {
  std::string text;
  bool ended = true;  // false: cut off at the length limit
  int length = 0;     // generated tokens
  std::vector<std::string> tokens;
  AttentionTrace attention;
};

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
