// SPDX-License-Identifier: MIT
// The training of an ablation: the warm start of each seed, and every condition's arm from it. Each
// has its own folder; finished ones are skipped and unfinished ones resume from their checkpoint.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gaze/io/append_log.hpp"
#include "gaze/train/loop.hpp"
#include "phyx/listener.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/run_model.hpp"
#include "phyx/study/run_paths.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

template <class Device>
class ArmTraining {
 public:
  /// The arguments must outlive the object; `data` must have been read.
  ArmTraining(const AblationSettings& settings, const RunPaths& paths, const RunData& data,
              const Listener& listener)
      : s_(settings), at_(paths), data_(data), listener_(listener) {}

  /// Trains the warm start of a seed unless it exists. Returns the parameter count of an arm's
  /// model.
  Index warm_up(std::int64_t seed) const;

  /// The model of a condition: from the arm's folder, or else trained from the warm start, after
  /// which it is saved there.
  RunModel<Device> prepare(const Condition& c, std::int64_t seed) const;

 private:
  void say(const std::string& what) const;
  RunFolder run_folder(const std::string& path, const std::string& who, std::int64_t seed) const;

  using Step = typename Trainer<float, Device>::Step;

  void train(const RunModel<Device>& model, const Condition& c, std::int64_t seed) const;
  /// `own`: the settings of the condition.
  void train_by_reward(const RunModel<Device>& model, const Condition& c,
                       const AblationSettings& own, std::int64_t seed) const;
  void train_supervised(const RunModel<Device>& model, const Condition& c,
                        const AblationSettings& own, std::int64_t seed) const;
  void train_on_own_samples(const RunModel<Device>& model, const Condition& c,
                            const AblationSettings& own, std::int64_t seed) const;

  /// Whether arms start from a model in the folder of the warm start: always, but for published
  /// checkpoints only if they are trained before.
  bool has_warm_start() const { return !data_.published() || s_.warm.steps() > 0; }

  /// A model with the weights of the seed's warm start; of a published checkpoint without one, the
  /// checkpoint itself.
  RunModel<Device> start(std::int64_t seed) const;

  /// The step function of supervised training on problems: of our own models with this share of
  /// corrupted responses, from number `offset` of the seed's lessons; of a published checkpoint on
  /// the responses of the problems.
  Step supervised_step(const RunModel<Device>& model, const std::vector<Example>& problems,
                       const WarmStartSettings& w, double corruption, Index offset,
                       std::int64_t seed) const;

  /// The validation accuracies of the policy that a GRPO step begins with: every validate_every
  /// steps and at the last one.
  Metrics validate(const Model<Device>& model, const AblationSettings& own, Index step) const;

  /// Mean arithmetic of the first `probe` steps, which do not update their model.
  static double arithmetic_of(Index probe, const Step& step);

  /// Arithmetic of a GRPO condition: rollouts and updates, without a reference. All its steps count
  /// as the mean of its first ones, measured on a copy of the warm start.
  /// `folder`: for files that its rewards keep.
  double grpo_arithmetic(const Condition& c, Index probe, std::int64_t seed,
                         const std::string& folder) const;

  /// The rewards of a GRPO condition; those that keep files keep them in `folder`.
  static RewardMix mix_in(const std::string& folder, const Condition& c,
                          const AblationSettings& own);

  /// The number of steps of arithmetic `one` within a budget, at least 1.
  static Index steps_within(double budget, double one);

  const AblationSettings& s_;
  const RunPaths& at_;
  const RunData& data_;
  const Listener& listener_;
};

extern template class ArmTraining<Cpu>;

}  // namespace gaze::phyx
