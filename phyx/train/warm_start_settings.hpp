// SPDX-License-Identifier: MIT
// Settings of the warm start: steps per stage, and the composition of batches.
#pragma once
#include "gaze/core/index.hpp"
#include "phyx/answer/response.hpp"

namespace gaze::phyx {

struct WarmStartSettings {
  Index letter_steps = 700, vision_steps = 800, caption_steps = 300, clean_steps = 900,
        mixed_steps = 200;
  Index batch = 32;
  double rate = 2e-3;
  double captions = 0.1;             // share of captions among responses
  double picks = 0.1;                // share of letter exercises among responses
  Index caption_picks = 24;          // letter exercises per batch of captions
  double letter_weight = 3;          // loss weight of an option's letter; 1 for other tokens
  double letters_stage_weight = 12;  // the same, in the first stage
  double slot_weight = 0.3;          // of the label loss in the caption stage
  CorruptionMix corruption{.format = 0.36};
};

}  // namespace gaze::phyx
