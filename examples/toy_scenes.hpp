// SPDX-License-Identifier: MIT
// A task for example 12 and the book's figures: pictures of one coloured block on a grid of 4 x 4
// cells, and the question for its colour.
#pragma once
#include <memory>
#include <vector>

#include "gaze/core/philox.hpp"
#include "gaze/rl/grpo.hpp"
#include "models/vlm.hpp"

namespace toy {

using Model = gaze::models::Vlm<float, gaze::Cpu>;

constexpr std::int32_t end_token = 0, image_token = 1, question = 2, first_colour = 3, colours = 4;
constexpr gaze::Index side = 64, grid = 4, cell_side = side / grid;  // pixels of model "nano"
constexpr std::uint8_t rgb[colours][3] = {
    {200, 60, 50}, {60, 150, 70}, {50, 90, 190}, {30, 30, 30}};

struct Scene {
  gaze::models::Prompt prompt;  // question, 16 image tokens, question; the region is the block
  std::int32_t answer;
  gaze::Index cell;
};

/// Scene number `seed`: the same number always draws the same picture.
inline Scene scene(std::uint64_t seed) {
  const gaze::Philox random(5, gaze::Purpose::data);
  const auto cell = static_cast<gaze::Index>(random.uniform(seed, 0) * grid * grid);
  const auto colour = static_cast<std::int32_t>(random.uniform(seed, 1) * colours);
  auto pixels = std::make_shared<std::vector<std::uint8_t>>(side * side * 3, std::uint8_t{235});
  for (gaze::Index y = 0; y < cell_side; ++y)
    for (gaze::Index x = 0; x < cell_side; ++x)
      for (gaze::Index c = 0; c < 3; ++c)
        (*pixels)[static_cast<std::size_t>(
            ((cell / grid * cell_side + y) * side + cell % grid * cell_side + x) * 3 + c)] =
            rgb[colour][c];
  std::vector<std::int32_t> tokens(grid * grid + 2, image_token);
  tokens.front() = tokens.back() = question;
  std::vector<std::uint8_t> region(grid * grid, 0);
  region[static_cast<std::size_t>(cell)] = 1;
  return {{tokens, pixels, region}, first_colour + colour, cell};
}

/// A model "nano" for these scenes, with random weights.
inline Model make_model(std::uint64_t seed) {
  auto config = gaze::models::preset("nano");
  config.vocabulary = first_colour + colours;
  return Model(config, image_token, seed);
}

}  // namespace toy
