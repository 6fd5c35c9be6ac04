// SPDX-License-Identifier: MIT
// Forecast of a run's memory, from the sizes of the model and of its batches (models/memory.hpp).
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "phyx/eval/published_text.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/lessons.hpp"

namespace gaze::phyx {

/// Peak bytes of each part of a run, including parameters, gradients and moments; 0 for a part that
/// is not run. Parts run one after another.
struct Forecast {
  Index warm_start = 0, grpo = 0, evaluation = 0;

  Index total() const { return std::max({warm_start, grpo, evaluation}); }
  /// The forecast as one line.
  std::string text() const;
};

/// The forecast of a run with its wanted conditions, the maximum over them. Assumes responses of a
/// GRPO step to be as long as those of the warm start, and rollouts to reserve the maximum length.
/// Includes the further answers that rewards need, and the masked prompts of PAPO's terms.
Forecast forecast(const AblationSettings& s, const models::VlmConfig& config,
                  const std::vector<Example>& train, const std::vector<Example>& test,
                  const LessonSource& source);

/// The same of a run on a published checkpoint, with the program, its tokeniser and its weights:
/// resident bytes, for the longest prompts and answers of the maximum length.
Forecast forecast(const AblationSettings& s, const PublishedText& published,
                  const std::vector<Example>& train, const std::vector<Example>& test);

/// The forecast of a run on these problems, which have been read.
Forecast forecast(const AblationSettings& s, const RunData& data);

/// Which setting to lower if a part of the forecast is larger than the available memory; "" if none
/// is.
std::string advice(const Forecast& f, const AblationSettings& s, Index available);

/// Bytes that new work can take on this machine; 0 if unknown.
Index available_memory();

}  // namespace gaze::phyx
