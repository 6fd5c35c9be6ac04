// SPDX-License-Identifier: MIT
// Writes a model that always answers " red" and a picture, for the test of answer.cpp.
#include "gaze/cpu/kernels.hpp"
#include "gaze/image/png.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/models/model_metadata.hpp"
#include "gaze/models/trained_prompt.hpp"
#include "gaze/models/vlm.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/optim/adamw.hpp"
#include "gaze/text/tokenizer.hpp"
#include "gaze/train/checkpoint.hpp"

int main() {
  const auto words = gaze::text::Tokenizer::build({" which colour ? red"});
  auto config = gaze::models::preset("nano");
  config.vocabulary = words.vocab_size();
  gaze::models::Vlm<float> model(config, words.image(), /*seed=*/1);
  const std::string form = "<|user|>{image} {question}<|assistant|>";
  const gaze::image::Image picture{90, 60, std::vector<std::uint8_t>(90 * 60 * 3, 200)};
  const gaze::models::Prompt prompt{gaze::models::fill_prompt(words, form, config.image_tokens(),
                                                              {{"{question}", "which colour ?"}}),
                                    gaze::models::image_bytes(picture, config.vit.image),
                                    {}};
  auto answer = words.encode_plain(" red");
  answer.push_back(words.end());
  const gaze::models::Group group{&prompt, {answer}};
  gaze::AdamW<float> optimiser(model.parameters(), {});
  for (int step = 0; step < 30; ++step) {
    gaze::backward(gaze::neg(gaze::mean(model.logprobs(std::span(&group, 1)).logp)));
    optimiser.step(0.005);
  }
  gaze::save_weights("model.safetensors", model.parameters(),
                     gaze::models::model_metadata(config, form));
  words.save("tokenizer.json");
  gaze::io::write_file("picture.png",
                       std::span<const std::uint8_t>(gaze::image::encode_png(picture)));
}
