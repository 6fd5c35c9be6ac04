// SPDX-License-Identifier: MIT
// One question to a trained model, with a picture of where it looked.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/core/device.hpp"
#include "gaze/core/index.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/image/decode.hpp"

namespace gaze::phyx {

/// The picture with the attention of the whole answer laid over it: warm where the model looked.
/// `maps` have side x side values each; the result is a PNG file's bytes, 512 pixels wide and high.
std::vector<std::uint8_t> attention_overlay(const image::Image& picture,
                                            const std::vector<std::vector<float>>& maps,
                                            Index side);

struct AskSettings {
  std::string model, image, question, overlay;
  SamplingSettings sampling;
  std::uint64_t seed = 0;
};

/// The answer's text. Writes the overlay where one is asked for.
template <class Device = Cpu>
std::string ask(const AskSettings& s);

extern template std::string ask<Cpu>(const AskSettings&);

}  // namespace gaze::phyx
