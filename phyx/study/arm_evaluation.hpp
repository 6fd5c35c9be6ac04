// SPDX-License-Identifier: MIT
// The evaluation of an ablation's arms: all on the same problems, with the same random numbers.
// Written into an arm's folder, in this order: differing.jsonl, shown.jsonl and, which says that
// the arm is finished, outcomes.jsonl.
#pragma once
#include <cstdint>
#include <string>

#include "phyx/listener.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/run_paths.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

template <class Device>
class ArmEvaluation {
 public:
  /// All of it must outlive the object; `data` has been read.
  ArmEvaluation(const AblationSettings& settings, const RunPaths& paths, const RunData& data,
                const Listener& listener)
      : s_(settings), at_(paths), data_(data), listener_(listener) {}

  /// Evaluates a condition's model. Throws Interrupted where it was asked to stop.
  void operator()(const Model<Device>& model, const Condition& c, std::int64_t seed) const;

 private:
  /// The same test problems for every condition, spread over the templates, with attention maps.
  void show_examples(const Model<Device>& model, const Condition& c, std::int64_t seed) const;

  const AblationSettings& s_;
  const RunPaths& at_;
  const RunData& data_;
  const Listener& listener_;
};

extern template class ArmEvaluation<Cpu>;

}  // namespace gaze::phyx
