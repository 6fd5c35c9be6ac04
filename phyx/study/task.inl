// SPDX-License-Identifier: MIT
// Drawing prompts and scoring completions, on any device.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "gaze/core/error.hpp"
#include "gaze/rl/grpo_settings.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/study/correctness.hpp"
#include "phyx/study/extra_answers.inl"
#include "phyx/study/masked_picture.hpp"
#include "phyx/study/task.hpp"

namespace gaze::phyx {

template <class Device>
rl::Task<Model<Device>> PhyxTask<Device>::task(bool separate) {
  using Prompts = std::span<const rl::TaskPrompt<Model<Device>>>;
  using Completions = std::span<const gaze::SampledTokens>;
  GAZE_CHECK(extra_ || !mix_.needs().any(), "PhyxTask",
             "a reward needs further answers; call answer_with() first");
  rl::Task<Model<Device>> out;
  out.masks = mask_share_ > 0;
  out.prompts = [this](Index step, Index round, Index count) {
    return prompts(step, round, count);
  };
  if (mix_.has_attention_gradient())
    out.attention_gradients = [this](Prompts p, Completions c) {
      std::vector<std::vector<float>> gradients;
      const auto said = read(p, c);
      for (std::size_t i = 0; i < said.size(); ++i)
        gradients.push_back(attention_gradient(
            mix_, RewardInput(examples_[p[i * p.size() / said.size()].index].problem, said[i])));
      return gradients;
    };
  if (separate)
    out.table = [this](Index step, Prompts p, Completions c, Metrics& m) {
      rl::RewardTable table;
      for (const auto& term : mix_.terms) table.weights.push_back(term.weight);
      for (const MixScore& s : score(step, p, c, m)) table.rows.push_back(s.parts);
      return table;
    };
  else
    out.score = [this](Index step, Prompts p, Completions c, Metrics& m) {
      std::vector<double> totals;
      for (const MixScore& s : score(step, p, c, m)) totals.push_back(s.total);
      return totals;
    };
  return out;
}

template <class Device>
std::vector<rl::TaskPrompt<Model<Device>>> PhyxTask<Device>::prompts(Index step, Index round,
                                                                     Index count) const {
  std::vector<rl::TaskPrompt<Model<Device>>> out;
  for (Index i = 0; i < count; ++i) {
    constexpr Index rounds = rl::GrpoSettings::most_resample + 1;
    const auto id = static_cast<std::uint64_t>((step * rounds + round) * 4096 + i);
    const std::size_t index = random_.below(examples_.size(), id, 1);
    const models::Prompt& prompt = examples_[index].prompt;
    out.push_back({&prompt, id, index});
    if (mask_share_ > 0 && prompt.rgb)
      out.back().masked = std::make_shared<const models::Prompt>(
          masked_prompt(prompt, config_.vit, mask_share_, random_, id));
  }
  return out;
}

template <class Device>
std::vector<phyx::Completion> PhyxTask<Device>::read(
    std::span<const rl::TaskPrompt<Model<Device>>> prompts,
    std::span<const gaze::SampledTokens> completions) const {
  const std::size_t group = completions.size() / prompts.size();
  std::vector<phyx::Completion> out;
  for (std::size_t i = 0; i < completions.size(); ++i)
    out.push_back(codec_.completion(completions[i], examples_[prompts[i / group].index].prompt));
  return out;
}

template <class Device>
std::vector<MixScore> PhyxTask<Device>::score(
    Index step, std::span<const rl::TaskPrompt<Model<Device>>> prompts,
    std::span<const gaze::SampledTokens> completions, Metrics& m) const {
  const std::size_t group = completions.size() / prompts.size();
  const std::vector<phyx::Completion> said = read(prompts, completions);
  const FurtherAnswers further = extra_ ? (*extra_)(prompts, completions, said) : FurtherAnswers{};
  std::vector<RewardInput> inputs;
  std::vector<double> right;  // 1 or 0 per completion
  double mass = 0, correct = 0;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const auto& prompt = prompts[i / group];
    const Problem& problem = examples_[prompt.index].problem;
    RewardInput& input = inputs.emplace_back(problem, said[i]);
    input.draw = {seed_, prompt.id * group + i % group};
    further.attach(input, i);
    mass += image_mass(said[i].attention);
    right.push_back(grade_completion(problem, said[i].text, input.response).correct);
    correct += right.back();
  }
  const auto out = phyx::score(mix_, inputs);
  if (sample) sample(step, examples_[prompts.front().index], said.front(), out.front());
  add_reward_metrics(inputs, out, m);
  const double n = static_cast<double>(completions.size());
  m.emplace_back("accuracy", correct / n);
  m.emplace_back("attention/image_mass", mass / n);
  std::vector<std::string> names;
  for (const auto& term : mix_.terms) names.push_back(term.reward.name);
  add_correctness_metrics(right, group, out, names, m);
  return out;
}

template <class Device>
void PhyxTask<Device>::add_reward_metrics(std::span<const RewardInput> inputs,
                                          std::span<const MixScore> scores, Metrics& m) const {
  for (std::size_t k = 0; k < mix_.terms.size(); ++k) {
    const Reward& reward = mix_.terms[k].reward;
    double sum = 0, count = 0, ungated = 0, measured = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (const auto& part = scores[i].parts[k]) {
        sum += *part;
        count += 1;
      }
      if (!reward.ungated) continue;
      if (const auto value = reward.ungated(inputs[i])) {
        ungated += *value;
        measured += 1;
      }
    }
    m.emplace_back("rewards/" + reward.name + "/mean", sum / std::max(1.0, count));
    if (measured > 0) m.emplace_back("rewards/" + reward.name + "/ungated", ungated / measured);
  }
}

}  // namespace gaze::phyx
