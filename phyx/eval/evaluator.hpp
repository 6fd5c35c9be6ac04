// SPDX-License-Identifier: MIT
// Evaluation: answers every test problem greedily and by sampling, with its own picture, a blank
// one, and the picture of another problem of the same template.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "phyx/eval/attempt.hpp"
#include "phyx/eval/evaluation_settings.hpp"
#include "phyx/train/model.hpp"
#include "phyx/train/problem_codec.hpp"

namespace gaze::phyx {

/// Whether a problem belongs to a share of the scenes: a hash of its index, so both forms of a
/// scene do or do not.
bool in_share(const Problem& p, double share);

/// Answers problems. For one seed, answers do not depend on the batch size.
template <class Device>
class Evaluator {
 public:
  using Progress = std::function<void(std::size_t done, std::size_t all)>;

  /// Model and codec must outlive it.
  Evaluator(const Model<Device>& model, const ProblemCodec& codec, EvaluationSettings settings)
      : model_(model), codec_(codec), settings_(std::move(settings)) {}

  /// Receives each problem's completions, the greedy one first.
  using Keep = std::function<void(std::size_t, const std::vector<phyx::Completion>&)>;

  /// The outcomes of all problems, in their order.
  std::vector<Outcome> operator()(const std::vector<Example>& examples, const Progress& progress,
                                  const Keep& keep = {}) const;

  /// Problems `first`, `first` + 1, … of a stream, with their own and, if the settings
  /// say so, with blank pictures. The same outcomes as above, except for swapped pictures, which a
  /// stream cannot provide.
  std::vector<Outcome> batch(std::span<const Example> examples, std::size_t first,
                             const Keep& keep = {}) const;

  /// `count` completions of each prompt; greedy ones if count is 0. Sample ids are positions of
  /// problems, so that all conditions use the same random numbers for any batch size.
  std::vector<gaze::SampledTokens> complete(std::span<const models::Prompt* const> prompts,
                                            std::span<const std::uint64_t> ids, Index count,
                                            models::Watch watch) const;

 private:
  /// Some problems; `first`: the position of the first one, its sample id.
  struct Batch {
    std::span<const Example> examples;
    std::size_t first;
  };

  void answer(const Batch& b, std::span<Outcome> out, const Keep& keep) const;

  /// Answers again after the gold look section, where there is one.
  void continue_gold_look(const Batch& b, std::span<Outcome> out) const;

  /// Samples the problems of the batch that belong to EvaluationSettings::many_share many times.
  void sample_many(const Batch& b, std::span<Outcome> out) const;

  /// Answers again with these pictures; skips problems whose picture is null.
  /// A problem of the batch with another prompt; `prefix`: its last tokens, the answer's first.
  struct Changed {
    std::size_t which;
    models::Prompt prompt;
    std::vector<std::int32_t> prefix;
  };

  /// Greedy and sampled answers to changed prompts.
  void answer_changed(const Batch& b, const std::vector<Changed>& changed, std::span<Outcome> out,
                      Perturbed Outcome::*where) const;

  void perturb(const Batch& b, std::span<Outcome> out, const std::vector<Pixels>& pictures,
               Perturbed Outcome::*where) const;

  const Model<Device>& model_;
  const ProblemCodec& codec_;
  EvaluationSettings settings_;
};

extern template class Evaluator<Cpu>;

}  // namespace gaze::phyx
