// SPDX-License-Identifier: MIT
// GRPO with an attention reward. The model names the colour of a block in a picture. Beside
// the right colour it is paid for the share of attention on the block while it answers. Three runs
// from the same start: accuracy alone; with the attention reward; and with the reward's gradient
// through the attention (rl/pathwise.hpp).
#include <cstdio>

#include "examples/toy_scenes.hpp"
#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

constexpr std::size_t scenes = 64, marks = models::mark_count;
constexpr auto region = static_cast<std::size_t>(models::Mark::region);

/// Mean over tokens, layers and heads of the attention on the block; `seen` is
/// [token][layer][head][mark].
double look(const SampledTokens& c) {
  double sum = 0;
  for (std::size_t i = region; i < c.seen.size(); i += marks) sum += static_cast<double>(c.seen[i]);
  return sum * marks / static_cast<double>(c.seen.size());
}

/// The derivative of look() with respect to `seen`, times the reward's weight.
std::vector<float> look_gradient(const SampledTokens& c, double weight) {
  std::vector<float> out(c.seen.size(), 0.0f);
  for (std::size_t i = region; i < out.size(); i += marks)
    out[i] = static_cast<float>(weight * marks / static_cast<double>(out.size()));
  return out;
}

struct Result {
  double right, look;
};

/// 40 steps of GRPO; `attention` weights look() in the reward, `pathwise` its gradient.
Result train(toy::Model& model, double attention, double pathwise) {
  std::vector<toy::Scene> all;
  for (std::uint64_t i = 0; i < scenes; ++i) all.push_back(toy::scene(i));

  Result now{};
  rl::Task<toy::Model> task;
  task.prompts = [&](Index step, Index, Index count) {
    std::vector<rl::TaskPrompt<toy::Model>> out;
    for (Index i = 0; i < count; ++i) {
      const auto id = static_cast<std::uint64_t>(step * count + i);
      out.push_back({&all[id % scenes].prompt, id, id % scenes});
    }
    return out;
  };
  task.score = [&](Index, auto asked, auto completions, Metrics&) {
    const std::size_t group = completions.size() / asked.size();
    std::vector<double> rewards;
    now = {};
    for (std::size_t i = 0; i < completions.size(); ++i) {
      const bool right = completions[i].tokens[0] == all[asked[i / group].index].answer;
      rewards.push_back(right + attention * look(completions[i]));
      now.right += right / static_cast<double>(completions.size());
      now.look += look(completions[i]) / static_cast<double>(completions.size());
    }
    return rewards;
  };
  task.attention_gradients = [&](auto, auto completions) {
    std::vector<std::vector<float>> out;
    for (const auto& c : completions) out.push_back(look_gradient(c, attention));
    return out;
  };

  rl::GrpoSettings settings;
  settings.prompts = 16;
  settings.group = 8;
  settings.sampling.max_tokens = 1;
  settings.loss.pathwise = pathwise;
  AdamW<float> optimiser(model.parameters(), {});
  for (Index step = 0; step < 40; ++step) {
    rl::grpo_step<toy::Model>(model, nullptr, settings, task, toy::end_token, step,
                              models::Watch::marks, [&] { optimiser.step(2e-3); });
    if (step % 10 == 0 || step == 39)
      std::printf("  step %2d   right %.2f   attention on the block %.3f\n", int(step), now.right,
                  now.look);
  }
  return now;
}

}  // namespace

int main() {
  std::printf("uniform attention would be %.3f on the block\n", 1.0 / (toy::grid * toy::grid + 2));
  const auto run = [](const char* name, double attention, double pathwise) {
    toy::Model model = toy::make_model(0);
    std::printf("%s\n", name);
    return train(model, attention, pathwise);
  };
  run("accuracy", 0, 0);
  const Result chosen = run("accuracy and attention, policy gradient alone", 1, 0);
  const Result moved = run("accuracy and attention, with the gradient through attention", 1, 1);
  return moved.look > 1.5 * chosen.look ? 0 : 1;
}
