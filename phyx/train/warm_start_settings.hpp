// SPDX-License-Identifier: MIT
// Settings of the warm start: steps per stage, the composition of batches, and the optimiser.
#pragma once
#include "gaze/core/index.hpp"
#include "gaze/optim/adamw.hpp"
#include "phyx/answer/response.hpp"

namespace gaze::phyx {

/// AdamW and the cosine schedule of a training stage.
struct OptimiserSettings {
  AdamWSettings adamw;
  Index warmup = 50;   // warm-up steps, at most a tenth of the stage and one
  double floor = 0.1;  // last learning rate, as a share of the peak
};

struct WarmStartSettings {
  Index letter_steps = 700, vision_steps = 800, caption_steps = 300, clean_steps = 900,
        mixed_steps = 200;
  Index batch = 32;
  double rate = 2e-3;
  double mixed_rate = 0.3;           // peak rate of the last stage, as a share of `rate`
  double captions = 0.1;             // share of captions among responses
  double picks = 0.1;                // share of letter exercises among responses
  Index caption_picks = 24;          // letter exercises per batch of captions
  Index vision_pictures = 2;         // pictures of a vision step, as a multiple of `batch`
  double letter_weight = 3;          // loss weight of an option's letter; 1 for other tokens
  double letters_stage_weight = 12;  // the same, in the first stage
  double slot_weight = 0.3;          // of the label loss in the caption stage
  double none_weight = 0.1;          // of an image token without a text in the label loss
  CorruptionMix corruption{.format = 0.36};
  OptimiserSettings optimiser;

  /// Steps of all stages.
  Index steps() const {
    return letter_steps + vision_steps + caption_steps + clean_steps + mixed_steps;
  }
};

}  // namespace gaze::phyx
