// SPDX-License-Identifier: MIT
// A model for text alone, letter by letter: learns two lines, then writes one of them.
#include <cstdio>
#include <string>

#include "gaze/gaze.hpp"
#include "gaze/models/language_model.hpp"

using Tokens = std::vector<std::int32_t>;

int main() {
  const std::string lines[] = {"hot air rises\n", "cold water falls\n"};
  const int end = '\n';
  gaze::models::LanguageModel<float> model(
      {.decoder = gaze::models::preset("nano").decoder, .vocabulary = 128}, /*seed=*/1);
  gaze::AdamW<float> optimiser(model.parameters(), {});

  const Tokens answers[] = {{lines[0].begin() + 1, lines[0].end()},
                            {lines[1].begin() + 1, lines[1].end()}};
  const gaze::models::Prompt first[] = {{{lines[0][0]}}, {{lines[1][0]}}};
  const gaze::models::Group groups[] = {{&first[0], {answers[0]}}, {&first[1], {answers[1]}}};
  for (int step = 0; step < 60; ++step) {
    const auto loss = gaze::neg(gaze::mean(model.logprobs(groups).logp));
    gaze::backward(loss);
    optimiser.step(0.005);
    if (step % 20 == 0) std::printf("%d %.3f\n", step, loss.item());
  }

  const gaze::models::Prompt* const prompts[] = {&first[1]};
  const std::uint64_t ids[] = {0};  // of the random numbers, which a greedy answer does not need
  const auto done =
      gaze::rollout(model, prompts, 1, {.greedy = true, .max_tokens = 30}, end,
                    gaze::Philox(1, gaze::Purpose::sampling), ids, gaze::models::Watch::nothing);
  const auto& tokens = done.front().tokens;
  const std::string text = lines[1][0] + std::string(tokens.begin(), tokens.end());
  std::printf("%s", text.c_str());
  return text == lines[1] ? 0 : 1;
}
