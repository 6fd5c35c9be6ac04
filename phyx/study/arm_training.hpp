// SPDX-License-Identifier: MIT
// The training of an ablation: the warm start of each seed, and every condition's arm from it. Each
// is a folder of its own; what is finished there is not done again, and what was begun goes on
// where it was saved.
#pragma once
#include <cstdint>
#include <string>

#include "gaze/io/append_log.hpp"
#include "gaze/io/safetensors.hpp"
#include "gaze/train/loop.hpp"
#include "phyx/listener.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/run_paths.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

template <class Device>
class ArmTraining {
 public:
  /// All of it must outlive the object; `data` has been read.
  ArmTraining(const AblationSettings& settings, const RunPaths& paths, const RunData& data,
              const Listener& listener)
      : s_(settings), at_(paths), data_(data), listener_(listener) {}

  /// The warm start of a seed, unless it is there. Returns how many parameters an arm's model has.
  Index warm_up(std::int64_t seed) const;

  /// Gives `model` the weights of a condition: those in the arm's folder, or those of the warm
  /// start after the condition's training, which are then saved there.
  void prepare(Model<Device>& model, const Condition& c, std::int64_t seed) const;

 private:
  void say(const std::string& what) const;
  RunFolder run_folder(const std::string& path, const std::string& who, std::int64_t seed) const;
  io::Metadata model_metadata() const;

  void train(Model<Device>& model, const Condition& c, std::int64_t seed) const;
  void train_by_reward(Model<Device>& model, const Condition& c, std::int64_t seed) const;
  void train_supervised(Model<Device>& model, const Condition& c, std::int64_t seed) const;
  Stage grpo_stage() const;

  /// Supervised steps that cost what a GRPO arm costs. Both are measured at the warm start, on a
  /// copy of the model: the mean of four GRPO steps of the accuracy arm (rollouts, and the forward
  /// and backward pass of the update) and of four supervised ones. Nothing is trained by it.
  Index matched_steps(std::int64_t seed) const;

  const AblationSettings& s_;
  const RunPaths& at_;
  const RunData& data_;
  const Listener& listener_;
};

extern template class ArmTraining<Cpu>;

}  // namespace gaze::phyx
