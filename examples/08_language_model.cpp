// SPDX-License-Identifier: MIT
// A language model from scratch: a tokeniser built from a text, the smallest decoder trained on it
// (supervised: raise the log-probability of every next token), then sampling with the cache.
#include <cmath>
#include <cstdio>

#include "gaze/gaze.hpp"
#include "gaze/text/tokenizer.hpp"
#include "models/vlm.hpp"

using namespace gaze;

namespace {

const std::vector<std::string> sentences = {
    " the sun heats the water . the water becomes steam .",
    " the steam rises . the steam cools . the steam becomes water .",
    " the water falls . the water cools the stone .",
    " the stone falls . the stone heats the air .",
    " the air rises . the air cools . the air falls .",
    " the sun heats the stone . the stone heats the air . the air rises ."};

using Model = models::Vlm<float, Cpu>;

// The model answers prompts; here a prompt is "<|user|>" and the answer is the sentence.
double train_step(const Model& model, const models::Prompt& prompt,
                  const std::vector<std::vector<std::int32_t>>& answers) {
  models::Group group{&prompt, {answers.begin(), answers.end()}};
  const auto logp = model.logprobs(std::span<const models::Group>(&group, 1)).logp;  // [tokens]
  const auto loss = neg(mean(logp));
  backward(loss);
  return loss.item();
}

void print_samples(const Model& model, const text::Tokenizer& tokenizer,
                   const models::Prompt& prompt, const SamplingSettings& settings, Index count) {
  const models::Prompt* prompts[] = {&prompt};
  const std::uint64_t ids[] = {0};  // keys the sample's random numbers
  const auto done =
      rollout(model, std::span<const models::Prompt* const>(prompts), count, settings,
              tokenizer.end(), Philox(3, Purpose::sampling), ids, models::Watch::nothing);
  for (const SampledTokens& c : done) {
    double logp = 0;
    for (const float token : c.logp) logp += static_cast<double>(token);
    auto text = c.tokens;
    if (c.ended) text.pop_back();
    std::printf("  [log p %7.2f%s]%s\n", logp, c.ended ? "" : ", cut off",
                tokenizer.decode(text).c_str());
  }
}

}  // namespace

int main() {
  const auto tokenizer = text::Tokenizer::build(sentences);
  auto config = models::preset("nano");
  config.vocabulary = tokenizer.vocab_size();
  Model model(config, tokenizer.image(), 0);
  model.parameters().train_only({"decoder"});  // without pictures the ViT would get no gradients
  std::printf("%d tokens in the vocabulary; \"%s\" is", tokenizer.vocab_size(), " the sun");
  for (const auto id : tokenizer.encode(" the sun")) std::printf(" %d", id);
  std::printf("\n\n");

  const models::Prompt prompt{{tokenizer.user()}, nullptr, {}};
  std::vector<std::vector<std::int32_t>> answers;
  for (const auto& sentence : sentences) {
    answers.push_back(tokenizer.encode_plain(sentence));
    answers.back().push_back(tokenizer.end());
  }
  AdamW<float> optimiser(model.parameters(), {});
  const CosineSchedule rate{.peak = 5e-3, .warmup = 10, .steps = 150};
  for (Index step = 0; step < rate.steps; ++step) {
    const double loss = train_step(model, prompt, answers);
    optimiser.step(rate(step));
    if (step % 25 == 0 || step + 1 == rate.steps)
      std::printf("step %3d   mean -log p per token %.4f\n", int(step), loss);
  }

  SamplingSettings settings{.max_tokens = 24};
  settings.greedy = true;
  std::printf("\ngreedy:\n");
  print_samples(model, tokenizer, prompt, settings, 1);
  settings.greedy = false;
  std::printf("sampled (six sentences at even odds have log p %.2f each):\n", -std::log(6.0));
  print_samples(model, tokenizer, prompt, settings, 4);
  settings.temperature = 2.5;
  settings.top_k = 2;
  std::printf(
      "sampled at temperature 2.5 from the two likeliest tokens (log p is before the cut):\n");
  print_samples(model, tokenizer, prompt, settings, 4);
}
