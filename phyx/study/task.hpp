// SPDX-License-Identifier: MIT
// The training problems as a GRPO task: prompts and rewards.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "gaze/core/philox.hpp"
#include "gaze/rl/task.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

/// Draws the prompts of a step and scores completions.
template <class Device>
class PhyxTask {
 public:
  PhyxTask(const std::vector<Example>& examples, const text::Tokenizer& tokenizer,
           const models::VlmConfig& config, RewardMix mix, std::uint64_t seed)
      : examples_(examples),
        tokenizer_(tokenizer),
        config_(config),
        mix_(std::move(mix)),
        random_(seed, Purpose::data) {}

  /// `separate`: returns the terms of the mix as separate rewards, which GDPO normalises one by
  /// one, instead of their weighted sum.
  rl::Task<Model<Device>> task(bool separate = false);

  /// Gives every prompt with a picture a masked one too, for PAPO's terms: `share` of the patches,
  /// drawn anew for each prompt of each step. Call before task().
  void mask_pictures(double share) { mask_share_ = share; }

  /// Called with the first scored completion of a step, for the log.
  std::function<void(Index step, const Example&, const phyx::Completion&, const MixScore&)> sample;

 private:
  std::vector<rl::TaskPrompt<Model<Device>>> prompts(Index step, Index round, Index count) const;

  std::vector<MixScore> score(Index step, std::span<const rl::TaskPrompt<Model<Device>>> prompts,
                              std::span<const gaze::SampledTokens> completions, Metrics& m) const;

  const std::vector<Example>& examples_;
  const text::Tokenizer& tokenizer_;
  models::VlmConfig config_;
  RewardMix mix_;
  Philox random_;
  double mask_share_ = 0;  // 0: no masked prompts
};

extern template class PhyxTask<Cpu>;

}  // namespace gaze::phyx
