// SPDX-License-Identifier: MIT
// The training problems as a GRPO task: prompts and rewards. Rewards that compare a completion with
// further answers get them from the policy (extra_answers.hpp).
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gaze/core/philox.hpp"
#include "gaze/rl/task.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/extra_answers.hpp"
#include "phyx/train/model.hpp"
#include "phyx/train/problem_codec.hpp"

namespace gaze::phyx {

/// Draws the prompts of a step and scores completions.
template <class Device>
class PhyxTask {
 public:
  PhyxTask(const std::vector<Example>& examples, const ProblemCodec& codec,
           const models::VlmConfig& config, RewardMix mix, std::uint64_t seed)
      : examples_(examples),
        codec_(codec),
        config_(config),
        mix_(std::move(mix)),
        seed_(seed),
        random_(seed, Purpose::data) {}

  /// Lets `policy`, the model being trained, generate the further answers that the mix needs, with
  /// the rollout's settings. It must outlive the task.
  void answer_with(const Model<Device>& policy, const SamplingSettings& sampling) {
    extra_.emplace(policy, examples_, codec_, sampling, seed_, mix_.needs());
  }

  /// `separate`: returns the terms of the mix as separate rewards, which GDPO normalises one by
  /// one, instead of their weighted sum. Throws Error if the mix needs further answers and no
  /// policy generates them.
  rl::Task<Model<Device>> task(bool separate = false);

  /// The prompts of a round of a step.
  std::vector<rl::TaskPrompt<Model<Device>>> prompts(Index step, Index round, Index count) const;

  const std::vector<Example>& examples() const { return examples_; }
  const ProblemCodec& codec() const { return codec_; }

  /// Gives every prompt with a picture a masked one too, for PAPO's terms: `share` of the patches,
  /// drawn independently for each prompt of each step. Call before task().
  void mask_pictures(double share) { mask_share_ = share; }

  /// Called with the first scored completion of a step, for the log.
  std::function<void(Index step, const Example&, const phyx::Completion&, const MixScore&)> sample;

 private:
  /// The completions as rewards see them, without further answers.
  std::vector<phyx::Completion> read(std::span<const rl::TaskPrompt<Model<Device>>> prompts,
                                     std::span<const gaze::SampledTokens> completions) const;

  std::vector<MixScore> score(Index step, std::span<const rl::TaskPrompt<Model<Device>>> prompts,
                              std::span<const gaze::SampledTokens> completions, Metrics& m) const;

  void add_reward_metrics(std::span<const RewardInput> inputs, std::span<const MixScore> scores,
                          Metrics& m) const;

  const std::vector<Example>& examples_;
  const ProblemCodec& codec_;
  models::VlmConfig config_;
  RewardMix mix_;
  std::uint64_t seed_;
  Philox random_;
  double mask_share_ = 0;  // 0: no masked prompts
  std::optional<ExtraAnswers<Device>> extra_;
};

extern template class PhyxTask<Cpu>;

}  // namespace gaze::phyx
