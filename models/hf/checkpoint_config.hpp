// SPDX-License-Identifier: MIT
// What a published checkpoint's config.json says.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "models/presets.hpp"

namespace gaze::models::hf {

struct CheckpointConfig {
  VlmConfig model = {.vit = {}, .shuffle = 1, .decoder = {}};  // no tower: text alone
  Index context = 0;              // tokens of prompt and answer that it was trained for
  std::int32_t image_token = -1;  // -1: none
  std::vector<std::pair<Index, Index>> pinpoints = {};  // heights and widths of tiled pictures
};

}  // namespace gaze::models::hf
