// SPDX-License-Identifier: MIT
// Conditions by name, and their rewards.
#include "phyx/study/conditions.hpp"

#include <string>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

const Condition& condition(std::string_view name) {
  std::string known;
  for (const Condition& c : conditions) {
    if (name == c.name) return c;
    known += std::string(known.empty() ? "" : ", ") + c.name;
  }
  GAZE_FAIL("condition", "no condition named ", name, "; there are ", known);
}

RewardMix reward_mix(const Condition& c, double format_weight, const RewardOptions& options) {
  const std::string_view name = c.reward;
  if (name.empty()) return mix_of({{"format", 1.0}});
  return mix_of({{c.reward, 1.0}, {"format", format_weight}}, options);
}

}  // namespace gaze::phyx
