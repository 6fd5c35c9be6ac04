// SPDX-License-Identifier: MIT
// Drawing the attention overlay; ask() on the CPU.
#include "phyx/eval/ask.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "gaze/core/error.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/image/png.hpp"
#include "gaze/image/resize.hpp"
#include "phyx/eval/ask.inl"

namespace gaze::phyx {

std::vector<std::uint8_t> heat_overlay(const image::Image& picture, const HeatMap& map,
                                       image::Size size) {
  auto out = image::resize(picture, size.width, size.height, image::Filter::bicubic);
  const auto& values = map.values;
  const bool finite =
      std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  GAZE_CHECK(finite, "ask", "the model's attention contains NaN or infinity; no overlay was drawn");
  const float top = std::max(1e-9f, *std::max_element(values.begin(), values.end()));
  const float warm[3] = {230, 85, 13};
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const int cell = y * map.rows / size.height * map.columns + x * map.columns / size.width;
      const float weight = 0.65f * values[static_cast<std::size_t>(cell)] / top;
      for (int c = 0; c < 3; ++c) {
        auto& v = out.rgb[static_cast<std::size_t>((y * size.width + x) * 3 + c)];
        v = static_cast<std::uint8_t>((1 - weight) * v + weight * warm[c]);
      }
    }
  return image::encode_png(out);
}

image::Size overlay_size(const image::Image& picture) {
  const int longest = std::max(picture.width, picture.height);
  const double scale = std::clamp(longest, 512, 1024) / static_cast<double>(longest);
  const auto scaled = [&](int side) {
    return std::max(1, static_cast<int>(std::lround(side * scale)));
  };
  return {scaled(picture.width), scaled(picture.height)};
}

std::vector<std::uint8_t> attention_overlay(const image::Image& picture,
                                            const std::vector<std::vector<float>>& maps,
                                            Index side) {
  const int cells = static_cast<int>(side);
  HeatMap sum{std::vector<float>(static_cast<std::size_t>(side * side), 0.0f), cells, cells};
  for (const auto& map : maps)
    for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += map[i];
  return heat_overlay(picture, sum, {512, 512});
}

template std::string ask<Cpu>(const AskSettings&);

}  // namespace gaze::phyx
