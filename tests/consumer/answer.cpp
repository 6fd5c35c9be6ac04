// SPDX-License-Identifier: MIT
// Answers a question about a picture with a model that `gaze` trained: answer MODEL PICTURE
// QUESTION
#include <cstdio>

#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/rollout.hpp"
#include "gaze/image/decode.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/models/trained_model.hpp"

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: answer MODEL PICTURE QUESTION\n");
    return 2;
  }
  const gaze::models::TrainedModel<> trained(argv[1]);
  const auto picture = gaze::image::decode_image(gaze::io::read_file(argv[2]), argv[2]);
  const auto prompt = trained.prompt(argv[3], &picture);
  const gaze::models::Prompt* const prompts[] = {&prompt};
  const std::uint64_t ids[] = {0};  // of the random numbers, which a greedy answer does not need
  const auto answers =
      gaze::rollout(trained.model(), prompts, 1, {.greedy = true}, trained.ends(),
                    gaze::Philox(0, gaze::Purpose::sampling), ids, gaze::models::Watch::nothing);
  std::printf("%s\n", trained.text(answers.front()).c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
