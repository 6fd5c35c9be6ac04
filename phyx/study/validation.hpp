// SPDX-License-Identifier: MIT
// Accuracy on a few validation problems while an arm trains.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/eval/evaluator.inl"

namespace gaze::phyx {

/// The share of problems that the model answers rightly by the strict rule, greedily and with their
/// own pictures; settings.batch problems at a time. Uses no random numbers and changes nothing that
/// training depends on. Throws Error without problems.
template <class Device>
double validation_accuracy(const Model<Device>& model, const ProblemCodec& codec,
                           const EvaluationSettings& settings, std::span<const Example> problems) {
  GAZE_CHECK(!problems.empty(), "validate", "there are no validation problems");
  const Evaluator evaluator(model, codec, settings);
  const auto batch = static_cast<std::size_t>(settings.batch);
  double right = 0;
  for (std::size_t at = 0; at < problems.size(); at += batch) {
    const auto part = problems.subspan(at, std::min(batch, problems.size() - at));
    std::vector<const models::Prompt*> prompts;
    std::vector<std::uint64_t> ids;
    for (const Example& e : part) {
      ids.push_back(at + ids.size());
      prompts.push_back(&e.prompt);
    }
    const auto done = evaluator.complete(prompts, ids, 0, models::Watch::nothing);
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto c = codec.completion(done[i], part[i].prompt);
      right += grade_completion(part[i].problem, c.text).correct;
    }
  }
  return right / static_cast<double>(problems.size());
}

}  // namespace gaze::phyx
