// SPDX-License-Identifier: MIT
// Peak memory of the model, computed from its sizes without running or allocating anything: weights
// with gradients and moments; values kept for backward and the gradients alive at the peak; the
// cache and the values of a rollout.
//
// Each rule adds the tensors that live at the same time in one function (named above it), in blocks
// as the CPU's allocator rounds them. Lists of one number per target are left out where they are a
// few thousandths. Elements are floats; bf16 products keep inputs of half the size, plus rounded
// weights and gradients. The rules are for the CPU; on Cuda bf16 needs less.
#pragma once
#include <span>

#include "gaze/core/storage.hpp"
#include "gaze/cpu/isa.hpp"
#include "gaze/nn/parameters.hpp"
#include "gaze/ops/logprob.hpp"
#include "gaze/ops/token_layout.hpp"
#include "models/decoder.hpp"
#include "models/feature_cache.hpp"
#include "models/generation.hpp"
#include "models/image_encoder.hpp"
#include "models/presets.hpp"
#include "models/slot_head.hpp"

namespace gaze::models {

/// The sizes that determine a batch's memory: prompts, images (or tiles), decoder rows, slots of
/// the key-value store, tokens with a log-probability (targets), completions of a rollout
/// (sequences).
struct BatchSizes {
  Index prompts = 0, images = 0, rows = 0, targets = 0, sequences = 0;
  bool frozen = false;  // the tower: a few tiles at a time, and their features are kept
  TokenLayout layout;   // reserves the slots

  Index slots() const { return layout.slots; }

  /// A prompt to train on with its completions' lengths, as Vlm::logprobs() lays it out.
  void add_group(Index prompt, Index tiles, std::span<const Index> completions) {
    add_prompt(prompt, tiles);
    for (const Index n : completions) {
      targets += n;
      rows += n - 1;
      if (n > 1) layout.reserve(n - 1, prompt);
    }
  }

  /// A prompt with room for `group` completions of at most `length` tokens, as Vlm::prefill() has.
  void add_rollout(Index prompt, Index tiles, Index group, Index length) {
    add_prompt(prompt, tiles);
    for (Index g = 0; g < group; ++g) layout.reserve(length, prompt);
    sequences += group;
  }

 private:
  void add_prompt(Index prompt, Index tiles) {
    ++prompts;
    images += tiles;
    rows += prompt;
    layout.reserve(prompt, 0);
  }
};

namespace detail {

/// Bytes of a block of rows x columns floats.
inline Index block(Index rows, Index columns) {
  return static_cast<Index>(
      Allocator<Cpu>::rounded(static_cast<std::size_t>(rows * columns) * sizeof(float)));
}

/// The same in bf16; 0 with float products.
inline Index half(bool bf16, Index rows, Index columns) {
  return bf16 ? block((rows * columns + 1) / 2, 1) : 0;
}

/// The input that a product keeps for backward.
inline Index operand(bool bf16, Index rows, Index columns) {
  return bf16 ? half(bf16, rows, columns) : block(rows, columns);
}

/// Both operands of a product over `depth`, with `rows` and `others` rows, converted for the
/// processor's bf16 kernel (cpu/gemm_bf16.hpp).
inline Index product_room(bool bf16, Index depth, Index rows, Index others) {
  if (!bf16) return 0;
  const auto way = bf16_products();
  if (way == Bf16Products::f32) return block(depth, rows) + block(depth, others);
  return half(way == Bf16Products::avx512_bf16, depth, rows) +
         half(way == Bf16Products::avx512_bf16, depth, others);
}

/// The same for a product with a weight, whose operands both lie along the depth: widening only.
inline Index forward_room(bool bf16, Index depth, Index rows, Index others) {
  return bf16_products() == Bf16Products::f32 ? product_room(bf16, depth, rows, others) : 0;
}

/// Bytes of one part of the model: kept for backward; peak of backward beyond that; peak of a
/// forward pass without gradients.
struct PartMemory {
  Index kept = 0, backward = 0, forward = 0;
};

/// DecoderBlock, for `n` rows. `rank`: of LoRA adapters, if these alone are trained: each of the
/// seven keeps its narrow rows and, with bf16 products, its input as floats (the attention's output
/// is kept anyway); there are no products for gradients of weights.
inline PartMemory decoder_block(const DecoderConfig& c, bool bf16, Index n, Index slots,
                                Index rank = 0) {
  const Index x = block(n, c.width), seen = block(n, c.heads * c.head_size);
  const Index qkv = block(n, (c.heads + 2 * c.kv_heads) * c.head_size);
  const Index gate_up = block(n, 2 * c.mlp), gated = block(n, c.mlp);
  const Index store = 2 * block(c.kv_heads * slots, c.head_size);
  const Index kept_x = operand(bf16, n, c.width), kept_gated = operand(bf16, n, c.mlp);
  const Index rounded_seen = half(bf16, n, c.heads * c.head_size);
  const bool float_inputs = rank > 0 && bf16;
  const Index down_input = float_inputs ? gated : 0;  // freed first
  const auto room = [&](Index rows, Index others) {
    return rank > 0 ? 0 : product_room(bf16, n, rows, others);
  };
  PartMemory m;
  m.kept = 2 * x + 2 * kept_x + qkv + seen + rounded_seen + gate_up + kept_gated + store +
           block(n, c.heads) + 2 * block(n, 1) + 7 * block(n, rank) +
           (float_inputs ? 2 * x + gated : 0);
  // The gradients of `down`, its input and its residual; of swiglu, whose result is freed; of
  // `gate_up`, maybe rounded; of the attention, when all else is freed.
  const Index at_down = 2 * x + gated + half(bf16, n, c.width) + room(c.width, c.mlp);
  const Index at_swiglu = x + gated + gate_up - kept_gated - down_input;
  const Index at_gate_up = 2 * x + gate_up + half(bf16, n, 2 * c.mlp) - kept_gated - down_input +
                           room(2 * c.mlp, c.width);
  const Index at_attention =
      x + 2 * seen + qkv + store - (x + kept_x + gate_up + kept_gated + rounded_seen + down_input);
  m.backward = std::max({at_down, at_swiglu, at_gate_up, at_attention});
  m.forward = 4 * x + qkv + seen + gate_up +
              std::max(gated + half(bf16, n, c.mlp) + forward_room(bf16, c.mlp, n, c.width),
                       forward_room(bf16, c.width, n, 2 * c.mlp));
  return m;
}

/// ImageEncoder, for `images` pictures or tiles.
inline PartMemory vision(const VlmConfig& c, Index images) {
  if (images == 0) return {};
  const VitConfig& v = c.vit;
  const Index n = images * v.patches(), tokens = images * c.image_tokens();
  const Index slots = images * ((v.patches() + kKeyLanes - 1) / kKeyLanes * kKeyLanes);
  const Index x = block(n, v.width), qkv = block(n, 3 * v.width), hidden = block(n, v.mlp);
  const Index store = 2 * block(v.heads * slots, v.width / v.heads);
  const Index pixels = block(n, 3 * v.patch * v.patch), width = c.decoder.width;
  const Index kept_x = operand(c.bf16, n, v.width), kept_hidden = operand(c.bf16, n, v.mlp);
  const Index rounded_x = half(c.bf16, n, v.width), rounded_hidden = half(c.bf16, n, v.mlp);
  const Index layer = 3 * x + 2 * kept_x + rounded_x + qkv + hidden + kept_hidden + store +
                      block(n, v.heads) + 4 * block(n, 1);  // VitBlock
  PartMemory m;
  m.kept = operand(c.bf16, n, 3 * v.patch * v.patch) + v.layers * layer + x + kept_x +
           2 * block(n, 1) + block(tokens, width) + operand(c.bf16, tokens, width);
  // The gradients of the residual sum; of the MLP, inside and on both sides; of the attention.
  const Index at_sum = 3 * x;
  const Index at_mlp = 3 * x + hidden + rounded_hidden + product_room(c.bf16, n, v.mlp, v.width);
  const Index at_attention = 3 * x + qkv + store - (x + kept_x + hidden + kept_hidden) - rounded_x;
  m.backward = std::max({at_sum, at_mlp, at_attention});
  m.forward = pixels + std::max(6 * x + 2 * hidden + rounded_hidden,
                                4 * x + qkv + std::max(2 * x, store) + rounded_x);
  return m;
}

/// What a frozen tower's features take for as long as their pictures are in use.
inline Index kept_features(const VlmConfig& c, const BatchSizes& b) {
  if (!b.frozen || b.images == 0) return 0;
  return block(b.images * c.image_tokens(), c.decoder.width);
}

/// The peak of computing the rows of a batch's pictures without gradients, beside kept_features().
inline Index picture_rows(const VlmConfig& c, const BatchSizes& b) {
  if (!b.frozen) return vision(c, b.images).forward;
  const auto together = std::min(b.images, static_cast<Index>(tiles_together));
  return kept_features(c, b) + vision(c, together).forward;
}

/// Vlm::logprobs() after the last block.
inline PartMemory log_probabilities(const VlmConfig& c, const BatchSizes& b) {
  const Index hidden = block(b.rows, c.decoder.width), picked = block(b.targets, c.decoder.width);
  const Index list = block(b.targets, 1);
  const Index chunk = std::min(b.targets, logprob_chunk);
  const Index logits = block(chunk, c.vocabulary) + half(c.bf16, chunk, c.vocabulary) +
                       product_room(c.bf16, chunk, c.vocabulary, c.decoder.width);
  PartMemory m;
  m.kept = hidden + operand(c.bf16, b.targets, c.decoder.width) + 8 * list + 4 * block(b.rows, 1);
  // Forward: the last hidden state with a chunk of logits. Backward: the gradient of the gathered
  // rows with a chunk; then the gradients on both sides of the norm.
  m.backward = std::max({hidden + logits, picked + logits, 2 * hidden - picked});
  m.forward = hidden + block(b.prompts, c.decoder.width) + block(b.prompts, c.vocabulary) +
              forward_room(c.bf16, c.decoder.width, b.prompts, c.vocabulary);
  return m;
}

}  // namespace detail

/// What the bytes of parameters are: the allocator's blocks, or without their unused ends, which
/// stay without memory behind them.
enum class Bytes { allocated, touched };

/// Bytes of a declared model, allocated or not: weights, rounded copies for bf16 products, and for
/// the trained parts gradients and, with `moments`, the optimiser's two moments. Frozen weights of
/// bf16 products have no float copy unless they keep it, see Parameters::allocate_for_file().
template <class Device>
Index parameter_bytes(const Parameters<float, Device>& all, bool moments,
                      Bytes kind = Bytes::allocated) {
  const auto floats = [kind](Index n) {
    return kind == Bytes::allocated ? detail::block(n, 1) : n * static_cast<Index>(sizeof(float));
  };
  Index bytes = 0;
  for (const auto& pack : all.packs()) {
    Index size = 0;
    for (const auto* p : pack.members) {
      if (p->multiplied_in_bf16) bytes += floats((p->shape.numel() + 1) / 2);
      const bool rounded_alone =
          !pack.trained && p->multiplied_in_bf16 && !p->keeps_value && !p->value.defined();
      if (!rounded_alone) size += all.padded(p->shape.numel());
    }
    const Index copies = !pack.trained ? 1 : moments ? 4 : 2;
    bytes += copies * floats(size);
  }
  return bytes;
}

/// The parameters of a Vlm by name and shape, not allocated.
struct DeclaredVlm {
  Parameters<float> all;

  explicit DeclaredVlm(const VlmConfig& c, Index slots = 0) {
    if (c.sees()) ImageEncoder<float, Cpu>(all, c);
    Decoder<float, Cpu>(all, c.decoder, c.vocabulary).keep_embedding();
    if (slots > 0) SlotHead<float, Cpu>(all, c, slots);
    if (c.bf16) all.multiply_in_bf16();
  }
};

/// The same of a LanguageModel.
struct DeclaredLanguageModel {
  Parameters<float> all;

  explicit DeclaredLanguageModel(const LanguageConfig& c) {
    Decoder<float, Cpu>(all, c.decoder, c.vocabulary);
    if (c.bf16) all.multiply_in_bf16();
  }
};

/// From now on the declared parameters count as frozen.
inline void freeze(Parameters<float>& all) {
  for (auto& pack : all.packs()) pack.trained = false;
}

/// A decoder alone, for the functions below; its batches have no images.
inline VlmConfig without_vision(const LanguageConfig& c) {
  return {
      .vit = {}, .shuffle = 1, .decoder = c.decoder, .vocabulary = c.vocabulary, .bf16 = c.bf16};
}

/// Peak bytes of a forward and backward pass of Vlm::logprobs(), without the parameters. `marks`:
/// columns of observed attention that the loss reads, as rl/pathwise.hpp does.
inline Index training_bytes(const VlmConfig& c, const BatchSizes& b, Index marks = 0) {
  const auto image = detail::vision(c, b.images);
  const auto layer = detail::decoder_block(c.decoder, c.bf16, b.rows, b.slots());
  const auto end = detail::log_probabilities(c, b);
  const Index columns = c.decoder.heads * marks;
  const Index seen =
      c.decoder.layers * (detail::block(b.rows, columns) + 2 * detail::block(b.targets, columns));
  const Index below = image.kept + c.decoder.layers * layer.kept +
                      (marks ? seen + detail::block(b.slots(), marks) : 0);
  const Index words = detail::block(b.rows, c.decoder.width);  // gradient of the embeddings
  return std::max({below + end.kept + end.backward, below + layer.backward,
                   image.kept + image.backward + words});
}

/// The same where only LoRA adapters of the decoder are trained: nothing of the ViT is kept for
/// backward. `recompute`: with checkpoint_blocks(), where one block at a time keeps more than its
/// input.
inline Index lora_training_bytes(const VlmConfig& c, const BatchSizes& b, Index rank,
                                 bool recompute = false) {
  const Index x = detail::block(b.rows, c.decoder.width);
  const auto layer = detail::decoder_block(c.decoder, c.bf16, b.rows, b.slots(), rank);
  const auto end = detail::log_probabilities(c, b);
  const Index update =
      c.decoder.layers * (recompute ? x : layer.kept) +
      std::max(end.kept + end.backward, layer.backward + (recompute ? x + layer.kept : 0));
  return detail::kept_features(c, b) + std::max(update, detail::picture_rows(c, b));
}

/// Peak bytes of Vlm::prefill() and Vlm::decode(), without the parameters, observing `marks`
/// columns.
inline Index rollout_bytes(const VlmConfig& c, const BatchSizes& b, Index marks = mark_count) {
  using detail::block;
  const DecoderConfig& d = c.decoder;
  const auto seen = [&](Index n) { return marks ? d.layers * block(n, d.heads * marks) : 0; };
  const Index cache = 2 * d.layers * block(d.kv_heads * b.slots(), d.head_size) +
                      (marks ? block(b.slots(), marks) : 0);
  const Index first = block(b.prompts, c.vocabulary), words = block(b.rows, d.width);
  const Index images = words + detail::picture_rows(c, b);
  const Index prefill = std::max(detail::decoder_block(d, c.bf16, b.rows, 0).forward + seen(b.rows),
                                 seen(b.rows) + detail::log_probabilities(c, b).forward);
  const Index n = b.sequences;
  const Index decode = first + block(n, c.vocabulary) +
                       std::max(detail::decoder_block(d, c.bf16, n, 0).forward,
                                2 * block(n, d.width) + block(n, c.vocabulary) +
                                    detail::forward_room(c.bf16, d.width, n, c.vocabulary)) +
                       seen(n);
  return cache + detail::kept_features(c, b) + std::max({images, prefill, decode});
}

}  // namespace gaze::models
