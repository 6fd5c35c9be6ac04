// SPDX-License-Identifier: MIT
// A supervised step and a GRPO step of a small model, for tests in which they fail and are retried.
#pragma once
#include "gaze/rl/grpo.hpp"
#include "tests/small_model.hpp"

namespace gaze::test {

/// All weights, one after another.
inline std::vector<float> values_of(const Parameters<float>& parameters) {
  std::vector<float> all;
  for (const auto& pack : parameters.packs()) {
    const auto values = pack.values.to_vector();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// Sets all weights, and clears the gradients.
inline void set_values(Parameters<float>& parameters, const std::vector<float>& all) {
  const float* from = all.data();
  for (auto& pack : parameters.packs()) {
    std::copy_n(from, pack.size, pack.values.data());
    pack.values.changed();
    from += pack.size;
  }
  parameters.clear_gradients();
}

/// A model and its training steps. Each makes one optimiser step.
class SmallSteps {
 public:
  using Policy = models::Vlm<float>;

  explicit SmallSteps(bool bf16 = false)
      : config_(bf16 ? in_bf16(with_head_size(32)) : with_head_size(32)),
        prompts_{image_prompt(config_, 1, 3), text_prompt(2, 4)},
        model_(config_, image_token, 7) {
    parameters().train_only({"vit", "projector", "decoder"});
    grpo_.prompts = grpo_.group = 2;
    grpo_.groups_per_micro = 1;
    grpo_.sampling.max_tokens = 4;
  }

  Parameters<float>& parameters() { return model_.parameters(); }

  /// On two micro-batches.
  void supervised(AdamW<float>& optimiser) {
    WholeGradient gradient;
    for (const auto& prompt : prompts_) {
      const auto answer = random_tokens(3, 4);
      const std::vector<models::Group> groups{{&prompt, {answer}}};
      backward(neg(mean(model_.logprobs(groups).logp)));
    }
    gradient.done();
    optimiser.step(0.01);
  }

  /// On two groups of two completions, each a micro-batch.
  void grpo(AdamW<float>& optimiser) {
    rl::grpo_step(model_, static_cast<const Policy*>(nullptr), grpo_, task(), end_token, 0,
                  Watch::nothing, [&] { optimiser.step(0.01); });
  }

 private:
  rl::Task<Policy> task() const {
    rl::Task<Policy> task;
    task.prompts = [this](Index, Index, Index count) {
      std::vector<rl::TaskPrompt<Policy>> out;
      for (Index i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i) % prompts_.size();
        out.push_back({&prompts_[at], static_cast<std::uint64_t>(i), at});
      }
      return out;
    };
    task.score = [](Index, auto, std::span<const SampledTokens> completions, Metrics&) {
      std::vector<double> rewards;
      for (const SampledTokens& c : completions)
        rewards.push_back(c.tokens.empty() ? 0 : c.tokens.front() % 7);
      return rewards;
    };
    return task;
  }

  models::VlmConfig config_;
  std::vector<models::Prompt> prompts_;
  Policy model_;
  rl::GrpoSettings grpo_;
};

}  // namespace gaze::test
