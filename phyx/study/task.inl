// SPDX-License-Identifier: MIT
// Drawing prompts and scoring completions, on any device.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/study/correctness.hpp"
#include "phyx/study/masked_picture.hpp"
#include "phyx/study/task.hpp"

namespace gaze::phyx {

template <class Device>
rl::Task<Model<Device>> PhyxTask<Device>::task(bool separate) {
  using Prompts = std::span<const rl::TaskPrompt<Model<Device>>>;
  using Completions = std::span<const gaze::SampledTokens>;
  rl::Task<Model<Device>> out;
  out.masks = mask_share_ > 0;
  out.prompts = [this](Index step, Index round, Index count) {
    return prompts(step, round, count);
  };
  if (separate)
    out.table = [this](Index step, Prompts p, Completions c, Metrics& m) {
      rl::RewardTable table;
      for (const auto& term : mix_.terms) table.weights.push_back(term.second);
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
    const auto id = static_cast<std::uint64_t>((step * 64 + round) * 4096 + i);
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
std::vector<MixScore> PhyxTask<Device>::score(
    Index step, std::span<const rl::TaskPrompt<Model<Device>>> prompts,
    std::span<const gaze::SampledTokens> completions, Metrics& m) const {
  const std::size_t group = completions.size() / prompts.size();
  std::vector<MixScore> out;
  std::vector<double> sums(mix_.terms.size(), 0), counts(sums);
  std::vector<double> right;  // 1 or 0 per completion
  double mass = 0, correct = 0;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const Example& e = examples_[prompts[i / group].index];
    const auto c = to_completion(completions[i], tokenizer_, config_, e.prompt);
    const RewardInput input(e.problem, c);
    const MixScore s = phyx::score(mix_, input);
    out.push_back(s);
    for (std::size_t k = 0; k < sums.size(); ++k)
      if (s.parts[k]) {
        sums[k] += *s.parts[k];
        counts[k] += 1;
      }
    mass += image_mass(c.attention);
    right.push_back(grade_completion(e.problem, c.text, input.response).correct);
    correct += right.back();
    if (i == 0 && sample) sample(step, e, c, s);
  }
  for (std::size_t k = 0; k < sums.size(); ++k)
    m.emplace_back("rewards/" + mix_.terms[k].first + "/mean", sums[k] / std::max(1.0, counts[k]));
  const double n = static_cast<double>(completions.size());
  m.emplace_back("accuracy", correct / n);
  m.emplace_back("attention/image_mass", mass / n);
  std::vector<std::string> names;
  for (const auto& term : mix_.terms) names.push_back(term.first);
  add_correctness_metrics(right, group, out, names, m);
  return out;
}

}  // namespace gaze::phyx
