// SPDX-License-Identifier: MIT
// Drawing patches and filling them.
#include "phyx/study/masked_picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

namespace {

using Colour = std::array<std::uint8_t, 3>;

Colour mean_colour(const std::vector<std::uint8_t>& rgb) {
  std::array<std::uint64_t, 3> sums{};
  for (std::size_t i = 0; i < rgb.size(); ++i) sums[i % 3] += rgb[i];
  const std::uint64_t pixels = rgb.size() / 3;
  Colour out{};
  for (std::size_t c = 0; c < 3; ++c)
    out[c] = static_cast<std::uint8_t>((sums[c] + pixels / 2) / pixels);
  return out;
}

/// `count` of `all` patches, without replacement: those with the smallest random numbers.
std::vector<std::size_t> draw_patches(std::size_t all, std::size_t count, const Philox& random,
                                      std::uint64_t sample) {
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < all; ++i) order.emplace_back(random.bits(sample, 2 + i), i);
  std::sort(order.begin(), order.end());
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(order[i].second);
  return out;
}

}  // namespace

models::Prompt masked_prompt(const models::Prompt& prompt, const models::VitConfig& config,
                             double share, const Philox& random, std::uint64_t sample) {
  const auto side = static_cast<std::size_t>(config.image);
  const auto patch = static_cast<std::size_t>(config.patch);
  const std::size_t grid = side / patch, all = grid * grid;
  GAZE_CHECK(prompt.rgb && prompt.rgb->size() == side * side * 3, "mask", "a picture of ",
             prompt.rgb ? prompt.rgb->size() : 0, " bytes, the model's have ", side * side * 3);
  GAZE_CHECK(share > 0 && share <= 1, "mask", "the share of patches must be in (0, 1], got ",
             share);
  const auto count = std::max<std::size_t>(
      1, static_cast<std::size_t>(std::llround(share * static_cast<double>(all))));
  auto rgb = std::make_shared<std::vector<std::uint8_t>>(*prompt.rgb);
  const Colour fill = mean_colour(*rgb);
  for (const std::size_t p : draw_patches(all, count, random, sample))
    for (std::size_t y = p / grid * patch; y < (p / grid + 1) * patch; ++y)
      for (std::size_t x = p % grid * patch; x < (p % grid + 1) * patch; ++x)
        std::copy(fill.begin(), fill.end(), rgb->data() + (y * side + x) * 3);
  models::Prompt out = prompt;
  out.rgb = std::move(rgb);
  return out;
}

}  // namespace gaze::phyx
