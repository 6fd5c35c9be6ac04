// SPDX-License-Identifier: MIT
// The accuracy reward: 1 for a right answer in the answer element of a well-formed response.
#pragma once
#include <string>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// 1 or 0 by the strict rule; 0 for a response that is not well-formed.
double accuracy_score(const RewardInput& in, const StrictRule& config = {});

/// accuracy_score as a reward.
Reward make_accuracy_reward(StrictRule config = {}, std::string name = "accuracy");

/// The kind "accuracy", with the option `tolerance`.
RewardKind accuracy_kind();

inline constexpr const char* tolerance_meaning =
    "relative error up to which a quantity is right, after unit conversion";

/// Adds the option `tolerance` of a config's strict rule, which is its member `rule`.
template <class Config>
void add_tolerance(OptionTable<Config>& table) {
  table.add("tolerance", [](Config& c) -> double& { return c.rule.tolerance; }, tolerance_meaning,
            {0, 1});
}

}  // namespace gaze::phyx
