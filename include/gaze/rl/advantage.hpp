// SPDX-License-Identifier: MIT
// Advantages: how much better a completion is than the others of its group.
#pragma once
#include <cmath>
#include <span>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze::rl {

/// What the centred reward is divided by.
///   group: the group's standard deviation, n - 1 (GRPO: Shao et al. 2024)
///   batch: the standard deviation of all rewards of the step (Lite PPO: Liu et al. 2025)
///   none:  nothing (Dr. GRPO: Liu et al. 2025)
enum class Spread { group, batch, none };

struct AdvantageSettings {
  Spread spread = Spread::group;
  double eps = 1e-4;  // added to the deviation
};

/// Advantages of rewards that lie group by group; zero_spread[i] says that group i has none.
struct Advantages {
  std::vector<double> values;
  std::vector<bool> zero_spread;
  double mean_spread = 0;  // mean of the groups' standard deviations
};

namespace detail {
struct MeanDeviation {
  double mean, deviation;  // n - 1
};
inline MeanDeviation mean_deviation(std::span<const double> x) {
  double mean = 0, squares = 0;
  for (const double v : x) mean += v;
  mean /= static_cast<double>(x.size());
  for (const double v : x) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / static_cast<double>(x.size() - 1))};
}
}  // namespace detail

/// A_i = (R_i - mean of the group) / (deviation + eps), with the deviation the settings name.
inline Advantages advantages(std::span<const double> rewards, Index group,
                             const AdvantageSettings& settings) {
  GAZE_CHECK(group >= 2, "advantages", "a group needs at least two completions, got ", group);
  const auto g = static_cast<std::size_t>(group);
  GAZE_CHECK(!rewards.empty() && rewards.size() % g == 0, "advantages", rewards.size(),
             " rewards do not make groups of ", group);
  for (const double r : rewards) GAZE_CHECK(std::isfinite(r), "advantages", "a reward is ", r);
  const double batch = detail::mean_deviation(rewards).deviation;
  Advantages out;
  for (std::size_t at = 0; at < rewards.size(); at += g) {
    const auto one = rewards.subspan(at, g);
    const auto [mean, deviation] = detail::mean_deviation(one);
    const double divisor = settings.spread == Spread::group   ? deviation + settings.eps
                           : settings.spread == Spread::batch ? batch + settings.eps
                                                              : 1.0;
    for (const double r : one) out.values.push_back((r - mean) / divisor);
    out.zero_spread.push_back(deviation == 0);
    out.mean_spread += deviation;
  }
  out.mean_spread /= static_cast<double>(out.zero_spread.size());
  return out;
}

}  // namespace gaze::rl
