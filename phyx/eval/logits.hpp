// SPDX-License-Identifier: MIT
// The logits of a published checkpoint or a trained model for given tokens, and the gradients of
// their loss, so that anybody can compare them with another program's.
#pragma once
#include <string>

#include "gaze/core/device.hpp"

namespace gaze::phyx {

/// `inputs`: a safetensors file with the tensors that transformers' models take as arguments, all
/// [B, T] of I64 or I32: input_ids; attention_mask (0: padding, at either end; default: all 1);
/// labels, any tokens (below 0: none; those of padding and of a row's first token do not count). A
/// trained model also takes pixels, U8 [B, S, S, 3], RGB pictures of its side: those of the rows
/// that have image tokens; a published checkpoint that sees takes pixel_values, F32, the tiles of
/// each row's pictures [B, tiles, 3, S, S], or, for tiles of any resolution, those of each picture
/// [pictures, tiles, 3, S, S] with image_sizes, I64 [pictures, 2], height and width. Without
/// pictures, image tokens are ordinary ones.
///
/// `out` gets logits [B, T, V] (0 at padding) and, with labels, loss (the mean of -log p over
/// labels from 0 on, shifted by one) and logp [B, T-1] (0 where there is no label). With
/// `gradients` also grad.NAME, by the names of the file's tensors; with an `adapter` those of its
/// tensors alone.
struct LogitsSettings {
  std::string model = {}, inputs = {}, out = {};
  std::string precision = {};  // of products; "": that of a trained model, float32 of a checkpoint
  std::string adapter = {};    // of a published checkpoint, see PublishedSettings
  bool merge_adapter = false;  // not with gradients
  bool gradients = false;
  bool logits_scaling = true;  // see PublishedSettings
};

/// Throws Error for files that do not fit.
template <class Device = Cpu>
void write_logits(const LogitsSettings& s);

extern template void write_logits<Cpu>(const LogitsSettings&);

}  // namespace gaze::phyx
