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

std::vector<std::uint8_t> attention_overlay(const image::Image& picture,
                                            const std::vector<std::vector<float>>& maps,
                                            Index side) {
  constexpr int size = 512;
  auto out = image::resize(picture, size, size, image::Filter::bicubic);
  std::vector<float> mean(static_cast<std::size_t>(side * side), 0.0f);
  for (const auto& map : maps)
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += map[i];
  const bool finite =
      std::all_of(mean.begin(), mean.end(), [](float m) { return std::isfinite(m); });
  GAZE_CHECK(finite, "ask", "the model's attention contains NaN or infinity; no overlay was drawn");
  const float top = std::max(1e-9f, *std::max_element(mean.begin(), mean.end()));
  const float warm[3] = {230, 85, 13};
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const Index cell = y * side / size * side + x * side / size;
      const float weight = 0.65f * mean[static_cast<std::size_t>(cell)] / top;
      for (int c = 0; c < 3; ++c) {
        auto& v = out.rgb[static_cast<std::size_t>((y * size + x) * 3 + c)];
        v = static_cast<std::uint8_t>((1 - weight) * v + weight * warm[c]);
      }
    }
  return image::encode_png(out);
}

template std::string ask<Cpu>(const AskSettings&);

}  // namespace gaze::phyx
