// SPDX-License-Identifier: MIT
// Forecast of the memory that commands need for a model, before it is loaded (models/memory.hpp).
#pragma once
#include "gaze/generate/sampling.hpp"
#include "gaze/nn/lora.hpp"
#include "gaze/rl/grpo_settings.hpp"
#include "models/presets.hpp"
#include "phyx/eval/evaluation_settings.hpp"

namespace gaze::phyx {

/// The batches that a forecast is for: the defaults of the commands, and prompts of `text` tokens
/// besides those of a picture, which every prompt of a model with a ViT has, in `tiles` tiles.
struct MemoryBatches {
  Index text = 256;
  Index tiles = 0;  // 0: one; in model_info(), the most that a picture of the checkpoint has
  Index answer = SamplingSettings().max_tokens;
  Index batch = EvaluationSettings().batch, samples = EvaluationSettings().samples;
  Index prompts = rl::GrpoSettings().prompts, group = rl::GrpoSettings().group;
  Index micro = 0;         // groups per forward and backward; 0: all
  Index rank = 16;         // of LoRA adapters
  bool recompute = false;  // Decoder::checkpoint_blocks() while these are trained
};

/// Peak resident bytes of a process on the CPU: with the program, the tokeniser and the weights,
/// also while these are read from their file.
struct ModelMemory {
  Index ask = 0;   // one answer
  Index eval = 0;  // a batch of sampled answers
  Index lora = 0;  // a GRPO step that trains LoRA adapters of the decoder, the rest frozen
};

/// Of a model with a ViT, as load_model() holds it: frozen.
ModelMemory model_memory(const models::VlmConfig& c, const MemoryBatches& batches);

/// Of a model for text, as load_published() holds it: frozen.
ModelMemory model_memory(const models::LanguageConfig& c, const MemoryBatches& batches);

/// Of either; `lora` with these adapters.
ModelMemory model_memory(const models::VlmConfig& c, const LoraPlan& plan,
                         const MemoryBatches& batches);

}  // namespace gaze::phyx
