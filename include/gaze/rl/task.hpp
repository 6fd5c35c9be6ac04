// SPDX-License-Identifier: MIT
// The task of a GRPO run: two functions, for the prompts of a step and for the rewards.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/rl/advantage.hpp"
#include "gaze/train/loop.hpp"

namespace gaze::rl {

/// A prompt and the id that keys its random numbers. `masked`: the same prompt with part of its
/// picture masked, for PAPO's terms; null: the prompt has none, and these terms are 0.
template <class Policy>
struct TaskPrompt {
  const typename Policy::Prompt* prompt = nullptr;
  std::uint64_t id = 0;   // unique per rollout
  std::size_t index = 0;  // the task's own
  std::shared_ptr<const typename Policy::Prompt> masked = nullptr;
};

/// Where prompts and rewards come from. `score` returns one reward per completion, prompt by
/// prompt, and may append metrics. Set `table` instead for several weighted reward functions, or
/// for functions that do not score every completion. `masks`: `prompts` masks the prompts that have
/// a picture; a step with PAPO's terms throws Error without it.
template <class Policy>
struct Task {
  std::function<std::vector<TaskPrompt<Policy>>(Index step, Index round, Index count)> prompts;
  std::function<std::vector<double>(Index step, std::span<const TaskPrompt<Policy>>,
                                    std::span<const SampledTokens>, Metrics&)>
      score;
  std::function<RewardTable(Index step, std::span<const TaskPrompt<Policy>>,
                            std::span<const SampledTokens>, Metrics&)>
      table = {};
  bool masks = false;
  /// The derivative of each completion's reward with respect to its observed attention
  /// (SampledTokens::seen, the same size); empty for a reward that does not depend on it. A step
  /// with a pathwise gradient throws Error without it.
  std::function<std::vector<std::vector<float>>(std::span<const TaskPrompt<Policy>>,
                                                std::span<const SampledTokens>)>
      attention_gradients = {};
};

}  // namespace gaze::rl
