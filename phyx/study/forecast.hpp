// SPDX-License-Identifier: MIT
// What a run will need, said before it starts: by rule from the sizes of the model and of the
// batches that it will meet (models/memory.hpp).
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "phyx/study/settings.hpp"
#include "phyx/train/lessons.hpp"

namespace gaze::phyx {

/// Bytes at the worst moment of each part of a run, with the parameters, gradients and moments that
/// it has; 0 for a part that does not come. The parts come one after another.
struct Forecast {
  Index warm_start = 0, grpo = 0, evaluation = 0;

  Index total() const { return std::max({warm_start, grpo, evaluation}); }
  /// One line for people.
  std::string text() const;
};

/// Of a whole ablation, or of the conditions that are wanted. Responses of a GRPO step are taken to
/// be as long as those that the warm start teaches; a rollout has room for the longest.
Forecast forecast(const AblationSettings& s, const models::VlmConfig& config,
                  const std::vector<Example>& train, const std::vector<Example>& test,
                  const LessonSource& source, bool grpo);

}  // namespace gaze::phyx
