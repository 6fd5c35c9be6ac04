// SPDX-License-Identifier: MIT
// The model of a run's arms: one of our own, whose weights are all trained and saved, or a
// published checkpoint, of which LoRA adapters are.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gaze/rl/reference.hpp"
#include "phyx/eval/published_model.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

template <class Device>
class RunModel {
 public:
  /// New weights, or new adapters of the checkpoint, which have no effect before they are trained.
  /// `data` must have been read. `slots`: see Vlm.
  RunModel(const AblationSettings& s, const RunData& data, std::int64_t seed, Index slots = 0);

  Model<Device>& operator*() const { return published_ ? published_->model : *own_; }
  Model<Device>* operator->() const { return &**this; }

  /// The parts that are trained; empty: all.
  std::vector<std::string> parts() const;

  /// The policy without its adapters; none for our own models.
  rl::Reference<Model<Device>> base() const;

  /// Whether save() wrote this folder.
  bool saved(const std::string& folder) const;
  /// Writes model.safetensors, or the adapters in PEFT's format, without the slot head.
  void save(const std::string& folder) const;
  void load(const std::string& folder) const;

 private:
  std::vector<std::string> without() const {
    return std::vector<std::string>(slots_ > 0 ? 1 : 0, "slots");
  }

  std::unique_ptr<Model<Device>> own_;
  std::unique_ptr<PublishedModel<Device>> published_;
  std::string prompt_;
  Index slots_;
};

}  // namespace gaze::phyx
