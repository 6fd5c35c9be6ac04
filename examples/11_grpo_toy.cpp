// SPDX-License-Identifier: MIT
// GRPO on a reward that needs no data: the prompt is one of eight tokens, and a completion earns
// the share of its tokens that repeat the prompt's. There is no supervised data: the model samples,
// is scored, and raises completions better than their group.
#include <cstdio>

#include "gaze/gaze.hpp"
#include "gaze/rl/grpo.hpp"
#include "models/vlm.hpp"

using namespace gaze;

namespace {

using Model = models::Vlm<float, Cpu>;

constexpr std::int32_t end_token = 0, image_token = 1, first_word = 2, words = 8;

double repeats(std::int32_t word, const SampledTokens& c) {
  double hits = 0;
  for (const std::int32_t token : c.tokens) hits += token == word;
  return hits / static_cast<double>(c.tokens.size());
}

double metric(const Metrics& all, const std::string& name) {
  for (const auto& [key, value] : all)
    if (key == name) return value;
  GAZE_FAIL("metric", "no metric named ", name);
}

}  // namespace

int main() {
  auto config = models::preset("nano");
  config.vocabulary = first_word + words;
  Model model(config, image_token, 0);
  model.parameters().train_only({"decoder"});

  std::vector<models::Prompt> prompts;
  for (std::int32_t w = 0; w < words; ++w) prompts.push_back({{first_word + w}, nullptr, {}});

  // A task is two functions: prompts for a step, and a reward per completion, prompt by prompt.
  rl::Task<Model> task;
  task.prompts = [&](Index step, Index, Index count) {
    std::vector<rl::TaskPrompt<Model>> out;
    for (Index i = 0; i < count; ++i)
      out.push_back({&prompts[static_cast<std::size_t>(i % words)],
                     static_cast<std::uint64_t>(step * count + i),
                     static_cast<std::size_t>(i % words)});
    return out;
  };
  task.score = [](Index, std::span<const rl::TaskPrompt<Model>> asked,
                  std::span<const SampledTokens> completions, Metrics&) {
    const std::size_t group = completions.size() / asked.size();
    std::vector<double> rewards;
    for (std::size_t i = 0; i < completions.size(); ++i)
      rewards.push_back(
          repeats(first_word + static_cast<std::int32_t>(asked[i / group].index), completions[i]));
    return rewards;
  };

  rl::GrpoSettings settings;
  settings.prompts = words;
  settings.group = 16;
  settings.sampling.max_tokens = 6;
  settings.apply(rl::variant("grpo"));  // or dr_grpo, dapo, gspo: rows of settings
  AdamW<float> optimiser(model.parameters(), {});
  std::printf("%5s %8s %11s %9s %9s %8s  %s\n", "step", "reward", "reward std", "zero-std",
              "entropy", "length", "ratio at the first update");
  const Index steps = 60;
  for (Index step = 0; step < steps; ++step) {
    const Metrics m = rl::grpo_step<Model>(model, nullptr, settings, task, end_token, step,
                                           models::Watch::nothing, [&] { optimiser.step(3e-3); });
    if (step % 6 == 0 || step + 1 == steps)
      std::printf("%5d %8.3f %11.3f %9.2f %9.3f %8.2f  [%g, %g]\n", int(step), metric(m, "reward"),
                  metric(m, "reward_std"), metric(m, "frac_reward_zero_std"), metric(m, "entropy"),
                  metric(m, "completions/mean_length"), metric(m, "first_ratio_min"),
                  metric(m, "first_ratio_max"));
  }
  std::printf(
      "\nA group with equal rewards (zero-std) gives no gradient. The ratio is 1 at the first\n"
      "update because rollout and update compute the same bits. The end token is not a repeat, so\n"
      "ending lowers the reward, and the model learns never to end: it optimises the reward as\n"
      "written, not as meant.\n");
}
