// SPDX-License-Identifier: MIT
// Scores of answers, and the arms' evaluation on the CPU.
#include "phyx/study/arm_evaluation.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/arm_evaluation.inl"

namespace gaze::phyx {

std::vector<std::map<std::string, float>> score_answers(
    const std::vector<Reward>& rewards, const Problem& problem,
    const std::vector<phyx::Completion>& answers) {
  std::vector<RewardInput> inputs;
  for (const auto& answer : answers) inputs.emplace_back(problem, answer);
  std::vector<std::map<std::string, float>> out(answers.size());
  for (const Reward& reward : rewards) {
    const auto scores = score(reward, inputs);
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (scores[i]) out[i][reward.name] = static_cast<float>(*scores[i]);
      if (!reward.ungated) continue;
      if (const auto value = reward.ungated(inputs[i]))
        out[i][reward.name + "_ungated"] = static_cast<float>(*value);
    }
  }
  return out;
}

template class ArmEvaluation<Cpu>;

}  // namespace gaze::phyx
