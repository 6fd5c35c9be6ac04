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

/// The share of answers that are right by the strict rule, with the problems' own pictures: of the
/// greedy ones, or of `samples` to each problem if that is above 0, always with the same random
/// numbers; settings.batch problems at a time. Changes nothing that training depends on. Throws
/// Error without problems.
template <class Device>
double validation_accuracy(const Model<Device>& model, const ProblemCodec& codec,
                           const EvaluationSettings& settings, std::span<const Example> problems,
                           Index samples = 0) {
  GAZE_CHECK(!problems.empty(), "validate", "there are no validation problems");
  const Evaluator evaluator(model, codec, settings);
  const auto batch = static_cast<std::size_t>(settings.batch);
  const auto answers = static_cast<std::size_t>(std::max<Index>(samples, 1));
  double right = 0;
  for (std::size_t at = 0; at < problems.size(); at += batch) {
    const auto part = problems.subspan(at, std::min(batch, problems.size() - at));
    std::vector<const models::Prompt*> prompts;
    std::vector<std::uint64_t> ids;
    for (const Example& e : part) {
      ids.push_back(at + ids.size());
      prompts.push_back(&e.prompt);
    }
    const auto done = evaluator.complete(prompts, ids, samples, models::Watch::nothing);
    for (std::size_t i = 0; i < done.size(); ++i) {
      const Example& e = part[i / answers];
      right += grade_completion(e.problem, codec.completion(done[i], e.prompt).text).correct;
    }
  }
  return right / static_cast<double>(problems.size() * answers);
}

}  // namespace gaze::phyx
