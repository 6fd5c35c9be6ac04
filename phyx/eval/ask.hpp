// SPDX-License-Identifier: MIT
// One question to a trained model, with an optional attention overlay.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/core/device.hpp"
#include "gaze/core/index.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/image/decode.hpp"

namespace gaze::phyx {

/// A map of rows x columns values that covers a picture.
struct HeatMap {
  std::vector<float> values;
  int rows = 0, columns = 0;
};

/// The picture, resized to `size`, with a map as a warm overlay, as PNG bytes. Throws Error for NaN
/// and infinity.
std::vector<std::uint8_t> heat_overlay(const image::Image& picture, const HeatMap& map,
                                       image::Size size);

/// A size of the picture's aspect ratio whose longer side has 512 to 1024 pixels.
image::Size overlay_size(const image::Image& picture);

/// The picture with the mean attention of the answer as a warm overlay, as PNG bytes of 512 x 512
/// pixels. `maps`: side x side values per token.
std::vector<std::uint8_t> attention_overlay(const image::Image& picture,
                                            const std::vector<std::vector<float>>& maps,
                                            Index side);

struct AskSettings {
  std::string model, image, question, overlay;
  SamplingSettings sampling;
  std::uint64_t seed = 0;
};

/// Returns the answer's text, and writes the overlay if `overlay` is set.
template <class Device = Cpu>
std::string ask(const AskSettings& s);

extern template std::string ask<Cpu>(const AskSettings&);

}  // namespace gaze::phyx
