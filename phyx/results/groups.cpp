// SPDX-License-Identifier: MIT
// Means over groups.
#include "phyx/results/groups.hpp"

#include <algorithm>

#include "gaze/core/error.hpp"
#include "phyx/results/statistics.hpp"

namespace gaze::phyx {

GroupReport group_report(std::span<const double> rewards, std::span<const double> correct,
                         std::size_t group) {
  GAZE_CHECK(group > 0 && !correct.empty() && rewards.size() == correct.size() &&
                 correct.size() % group == 0,
             "group_report", rewards.size(), " rewards and ", correct.size(),
             " answers in groups of ", group);
  const std::size_t groups = correct.size() / group;
  GroupReport out;
  double sum = 0, defined = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    const auto part = correct.subspan(g * group, group);
    const auto right = [](double c) { return c > 0; };
    out.all_right += std::all_of(part.begin(), part.end(), right);
    out.all_wrong += std::none_of(part.begin(), part.end(), right);
    if (const auto r = correlation(rewards.subspan(g * group, group), part)) {
      sum += *r;
      defined += 1;
    }
  }
  out.all_right /= double(groups);
  out.all_wrong /= double(groups);
  if (defined > 0) out.reward_correctness = sum / defined;
  return out;
}

}  // namespace gaze::phyx
