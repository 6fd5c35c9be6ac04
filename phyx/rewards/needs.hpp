// SPDX-License-Identifier: MIT
// The fields of a problem that a reward reads beyond its answer. The synthetic suite has all of
// them; one's own data are checked for them before a run.
#pragma once
#include <array>
#include <string_view>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// A reward that needs a field, by its name in one's own data.
struct RewardNeed {
  std::string_view reward, field;
  bool (*present)(const Problem&);
};

inline constexpr std::array<RewardNeed, 3> reward_needs = {{
    {"rubric", "solution.principle",
     [](const Problem& p) { return !p.solution.principle.empty(); }},
    {"rubric", "solution.steps", [](const Problem& p) { return !p.solution.steps.empty(); }},
    {"attention_region", "scene.regions",
     [](const Problem& p) { return !p.scene.regions.empty(); }},
}};

}  // namespace gaze::phyx
