// SPDX-License-Identifier: MIT
// Pictures with part of their patches masked, for PAPO's terms (gaze/rl/papo.hpp).
#pragma once
#include <cstdint>

#include "gaze/core/philox.hpp"
#include "models/packing.hpp"
#include "models/vit.hpp"

namespace gaze::phyx {

/// The prompt with `share` of its picture's patches (the tower's, rounded to whole patches and at
/// least one) set to the picture's mean colour. The patches are drawn without replacement, by
/// positions 2, 3, … of `sample`. Throws Error without a picture of the model's size, or for a
/// share outside (0, 1].
models::Prompt masked_prompt(const models::Prompt& prompt, const models::VitConfig& config,
                             double share, const Philox& random, std::uint64_t sample);

}  // namespace gaze::phyx
