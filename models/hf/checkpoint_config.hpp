// SPDX-License-Identifier: MIT
// What a published checkpoint's config.json says.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "models/presets.hpp"

namespace gaze::models::hf {

struct CheckpointConfig {
  VlmConfig model = {.vit = {}, .shuffle = 1, .decoder = {}};  // no tower: text alone
  Index context = 0;              // tokens of prompt and answer that it was trained for
  std::int32_t image_token = -1;  // -1: none
  std::vector<std::array<Index, 2>> pinpoints = {};  // heights and widths of tiled pictures
};

}  // namespace gaze::models::hf
