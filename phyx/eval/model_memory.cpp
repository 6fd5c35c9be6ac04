// SPDX-License-Identifier: MIT
// Weights as they are read and held, and the largest batch of each command.
#include "phyx/eval/model_memory.hpp"

#include <algorithm>
#include <vector>

#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/continuous_batch.hpp"
#include "models/hf/adapter.hpp"
#include "models/hf/llama.hpp"
#include "models/memory.hpp"

namespace gaze::phyx {

namespace {

// Measured: the resident memory of the program, and that of a byte-level BPE of 49,152 tokens (text
// and merges in hash tables) per token.
constexpr Index program_bytes = 14000000, token_bytes = 512;

Index touched(const Parameters<float>& all, bool moments) {
  return models::parameter_bytes(all, moments, models::Bytes::touched);
}

/// The weights of a loaded model, each of which was read to its place.
Index weight_bytes(Parameters<float>& all) {
  models::freeze(all);
  return touched(all, false);
}

Index lora_bytes(Parameters<float>& all, const LoraPlan& plan) {
  models::freeze(all);
  add_lora(all, plan);
  return touched(all, true);
}

/// Adapters of all linear modules of the decoder.
LoraPlan plan_of(const models::DecoderConfig& c, Index rank) {
  return models::hf::new_adapter(models::hf::decoder_weights(c, 1, ""), {.rank = rank}).plan;
}

ModelMemory forecast(const models::VlmConfig& c, bool image, Index weights, Index adapted,
                     const MemoryBatches& b) {
  const Index tiles = image ? std::max<Index>(1, b.tiles) : 0;
  const Index prompt = b.text + (image ? tiles * c.image_tokens() : 0);
  const auto sizes_of = [&](Index prompts, Index group) {
    models::BatchSizes sizes;
    sizes.frozen = true;
    for (Index i = 0; i < prompts; ++i) sizes.add_rollout(prompt, tiles, group, b.answer);
    return sizes;
  };
  const auto rollout = [&](Index prompts, Index group, Index marks) {
    return models::rollout_bytes(c, sizes_of(prompts, group), marks);
  };
  models::BatchSizes one = sizes_of(1, 1);
  if (!image) one.rows = std::min(one.rows, most_prompt_rows);  // at a time
  models::BatchSizes update;
  update.frozen = true;
  const std::vector<Index> lengths(static_cast<std::size_t>(b.group), b.answer);
  const Index together = b.micro > 0 ? std::min(b.micro, b.prompts) : b.prompts;
  for (Index i = 0; i < together; ++i) update.add_group(prompt, tiles, lengths);
  const Index marks = image ? models::mark_count : 0;
  const Index base = program_bytes + token_bytes * c.vocabulary;
  // Where sizes change from step to step, freed blocks add an eighth (core/block_cache.hpp).
  const auto changing = [](Index work) { return work + work / 8; };
  const Index evaluation = rollout(b.batch, std::max<Index>(b.samples, 1), marks);
  const Index step = std::max(rollout(b.prompts, b.group, marks),
                              models::lora_training_bytes(c, update, b.rank, b.recompute));
  return {base + weights + models::rollout_bytes(c, one, 0), base + weights + changing(evaluation),
          base + adapted + changing(step)};
}

template <class Declared>
ModelMemory memory_of(const auto& c, const models::VlmConfig& sizes, const LoraPlan& plan,
                      const MemoryBatches& batches) {
  Declared frozen(c), adapted(c);
  return forecast(sizes, sizes.sees(), weight_bytes(frozen.all), lora_bytes(adapted.all, plan),
                  batches);
}

ModelMemory memory_of(const models::LanguageConfig& c, const LoraPlan& plan,
                      const MemoryBatches& batches) {
  return memory_of<models::DeclaredLanguageModel>(c, models::without_vision(c), plan, batches);
}

}  // namespace

ModelMemory model_memory(const models::VlmConfig& c, const MemoryBatches& batches) {
  return model_memory(c, plan_of(c.decoder, batches.rank), batches);
}

ModelMemory model_memory(const models::LanguageConfig& c, const MemoryBatches& batches) {
  return memory_of(c, plan_of(c.decoder, batches.rank), batches);
}

ModelMemory model_memory(const models::VlmConfig& c, const LoraPlan& plan,
                         const MemoryBatches& batches) {
  if (c.sees()) return memory_of<models::DeclaredVlm>(c, c, plan, batches);
  return memory_of({.decoder = c.decoder, .vocabulary = c.vocabulary, .bf16 = c.bf16}, plan,
                   batches);
}

}  // namespace gaze::phyx
