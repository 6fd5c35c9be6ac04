// SPDX-License-Identifier: MIT
// The adaptive entropy bonus: a coefficient that follows a target entropy.
#pragma once
#include <algorithm>
#include <limits>

#include "gaze/rl/loss_settings.hpp"

namespace gaze::rl {

/// Skywork-OR1 (He et al. 2025): the coefficient rises by `step` while the entropy is at or below
/// `target` and falls while above; the bonus applies only at or below.
struct AdaptiveEntropy {
  double coefficient = 0, least = 0, most = 1, step = 0.005, target = 0.2;
  double last = std::numeric_limits<double>::infinity();  // entropy of the previous update

  /// Throws an Error that names a setting out of range.
  void check() const {
    GAZE_CHECK(least >= 0 && least <= coefficient && coefficient <= most, "grpo",
               "the adaptive entropy's coefficient ", coefficient, " is not in [", least, ", ",
               most, "]");
    detail::check_setting("grpo", "adaptive.most", most);
    detail::check_setting("grpo", "adaptive.step", step);
    detail::check_setting("grpo", "adaptive.target", target);
  }
  /// The coefficient of the next update.
  double applied() const { return last <= target ? coefficient : 0; }
  /// Adapts the coefficient to the mean entropy (in nats) of an update.
  void update(double entropy) {
    coefficient = entropy <= target ? std::min(coefficient + step, most)
                                    : std::max(coefficient - step, least);
    last = entropy;
  }
};

}  // namespace gaze::rl
