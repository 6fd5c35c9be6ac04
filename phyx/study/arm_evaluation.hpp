// SPDX-License-Identifier: MIT
// The evaluation of an ablation's arms, all on the same problems with the same random numbers.
// Writes to the arm's folder, in this order: outcomes_tT.jsonl at each further temperature T,
// differing.jsonl, shown.jsonl, and outcomes.jsonl, which marks the arm as finished.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "phyx/eval/evaluator.hpp"
#include "phyx/listener.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/run_paths.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

/// The scores of each answer to a problem by name, where a reward is defined, and as "NAME_ungated"
/// what it measures without its gates.
std::vector<std::map<std::string, float>> score_answers(
    const std::vector<Reward>& rewards, const Problem& problem,
    const std::vector<phyx::Completion>& answers);

template <class Device>
class ArmEvaluation {
 public:
  /// The arguments must outlive the object; `data` must have been read.
  ArmEvaluation(const AblationSettings& settings, const RunPaths& paths, const RunData& data,
                const Listener& listener)
      : s_(settings), at_(paths), data_(data), listener_(listener) {}

  /// Evaluates a condition's model. Throws Interrupted when stopped.
  void operator()(const Model<Device>& model, const Condition& c, std::int64_t seed) const;

 private:
  std::vector<Outcome> evaluate(const Model<Device>& model, const EvaluationSettings& settings,
                                const typename Evaluator<Device>::Keep& keep) const;

  /// Writes answers with attention maps to test problems spread over the templates, the same for
  /// every condition.
  void show_examples(const Model<Device>& model, const Condition& c, std::int64_t seed,
                     const std::vector<Reward>& rewards) const;

  const AblationSettings& s_;
  const RunPaths& at_;
  const RunData& data_;
  const Listener& listener_;
};

extern template class ArmEvaluation<Cpu>;

}  // namespace gaze::phyx
