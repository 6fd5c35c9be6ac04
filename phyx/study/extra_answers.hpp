// SPDX-License-Identifier: MIT
// Further answers by the policy for rewards that compare a completion with them (RewardNeeds):
//
//   from_look  greedy, continues the completion's look section after the prompt without its image
//   swapped    greedy, one per prompt, with the picture of the problem's partner
//   twin       sampled as the completion was, with its random numbers, with the partner's picture
//
// A partner is the next problem of the same template and form with another answer and look section,
// as in the evaluation (other_pictures.hpp). The answers do not depend on the batch.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/rl/task.hpp"
#include "phyx/rewards/reward.hpp"
#include "phyx/train/model.hpp"
#include "phyx/train/problem_codec.hpp"

namespace gaze::phyx {

/// The answers to a batch, completion by completion. A list that was not asked for is empty; an
/// answer is missing where there is no picture to swap.
struct FurtherAnswers {
  RewardNeeds given;
  std::size_t group = 1;
  std::vector<phyx::Completion> from_look;               // per completion
  std::vector<std::optional<phyx::Completion>> swapped;  // per prompt
  std::vector<std::optional<phyx::Completion>> twin;     // per completion

  /// Sets the pointers of completion i's input, which become invalid with this object.
  void attach(RewardInput& input, std::size_t i) const;
};

/// Generates the answers of a batch by the policy as it is at the time of the call.
template <class Device>
class ExtraAnswers {
 public:
  using Prompts = std::span<const rl::TaskPrompt<Model<Device>>>;

  /// References must outlive it. `sampling` and `seed` are those of the rollout.
  ExtraAnswers(const Model<Device>& policy, const std::vector<Example>& examples,
               const ProblemCodec& codec, const SamplingSettings& sampling, std::uint64_t seed,
               RewardNeeds needs);

  /// `tokens` and `said`: the completions, prompt by prompt, as ids and as text.
  FurtherAnswers operator()(Prompts prompts, std::span<const gaze::SampledTokens> tokens,
                            std::span<const phyx::Completion> said) const;

 private:
  std::vector<phyx::Completion> continue_look(Prompts prompts,
                                              std::span<const gaze::SampledTokens> tokens,
                                              std::span<const phyx::Completion> said) const;

  /// `group` answers per prompt with the partner's picture; greedy ones, or sampled as the rollout
  /// was.
  std::vector<std::optional<phyx::Completion>> swap_pictures(Prompts prompts, std::size_t group,
                                                             bool greedy) const;

  const Model<Device>& policy_;
  const std::vector<Example>& examples_;
  const ProblemCodec& codec_;
  SamplingSettings sampling_;
  std::uint64_t seed_;
  RewardNeeds needs_;
  std::vector<std::size_t> partner_;  // per example, if a picture is to be swapped
};

extern template class ExtraAnswers<Cpu>;

}  // namespace gaze::phyx
