// SPDX-License-Identifier: MIT
// The state of completions while they are generated, and the marks that observe their attention.
#pragma once
#include <deque>

#include "models/packing.hpp"

namespace gaze::models {

/// Columns of observed attention, in this order: the image, its region of interest, the first token
/// of the prompt, and all tokens of the prompt that are not the image's (the first one included).
enum class Mark { image, region, sink, text };
inline constexpr Index mark_count = 4;
/// The columns that decode() observes: none, those of Mark, or one per image token (for maps).
enum class Watch { nothing, marks, patches };

/// Logits [rows, V], and the observed attention [rows][layer][head][column].
template <class T, class Device>
struct DecodeStep {
  Tensor<T, Device> logits;
  std::vector<float> seen;
};

/// Keys and values of completions being generated.
template <class T, class Device>
struct GenerationState {
  struct Sequence {
    Index prefix_slot, prefix, own_slot;
  };
  std::deque<KeyValueStore<T, Device>> cache;  // one per layer
  Tensor<float, Device> marks;
  std::vector<Sequence> sequences;  // prompts x group, in order
  Index length = 0;                 // tokens that each sequence has room for
  DecodeStep<T, Device> first;      // one row per prompt: the logits of the first token
};

/// Consecutive rows of a sequence whose keys lie in a store's slots from `slot` on (a multiple of
/// kKeyLanes), position by position. `prompt`: set if the rows are a whole prompt with a picture.
struct RunningPart {
  std::span<const std::int32_t> tokens;
  Index position;  // of the first row in the sequence
  Index slot;
  const Prompt* prompt = nullptr;
};

/// The sequences of a state while they are generated on the device (device_rollout.hpp). The arrays
/// advance with each step; `layout` stays that of the first step.
template <class Device>
struct RunningSequences {
  std::shared_ptr<TokenLayout> layout;
  Indices<Device> position, tokens;  // [sequences]
  std::int32_t* slot;
  KeyRange* keys;
  Index arithmetic_per_key;  // of one sequence, in all layers
};

/// Mark columns [slots, columns] over the key slots of prompts that lie at `segments`. With
/// Watch::patches, column i marks image token i.
inline std::vector<float> mark_columns(std::span<const Prompt* const> prompts,
                                       const std::vector<Segment>& segments, Index slots,
                                       Index columns, Watch watch, std::int32_t image_token) {
  std::vector<float> marks(static_cast<std::size_t>(slots * columns), 0.0f);
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    const Prompt& prompt = *prompts[p];
    float* row = marks.data() + segments[p].slot * columns;
    if (watch == Watch::marks) row[static_cast<int>(Mark::sink)] = 1;
    std::size_t n = 0;  // of the image token
    for (std::size_t i = 0; i < prompt.tokens.size(); ++i, row += columns) {
      // Image tokens without an image are ordinary ones.
      if (!prompt.sees() || prompt.tokens[i] != image_token) {
        if (watch == Watch::marks) row[static_cast<int>(Mark::text)] = 1;
        continue;
      }
      if (watch == Watch::patches) {
        row[n] = 1;
      } else {
        row[static_cast<int>(Mark::image)] = 1;
        if (n < prompt.region.size()) row[static_cast<int>(Mark::region)] = prompt.region[n];
      }
      ++n;
    }
  }
  return marks;
}

/// The observed attention of some rows, [rows][layer][head][column], from each layer's [N, H * M].
template <class T, class Device>
std::vector<float> seen_by_rows(const std::vector<Tensor<T, Device>>& layers,
                                const std::vector<std::int32_t>& rows) {
  std::vector<float> out;
  if (layers.empty()) return out;
  const Index width = layers.front().size(1);
  out.reserve(rows.size() * static_cast<std::size_t>(width) * layers.size());
  std::vector<Tensor<T, Cpu>> host;
  for (const auto& layer : layers) host.push_back(layer.host());
  for (const std::int32_t row : rows)
    for (const auto& layer : host) {
      const T* from = layer.data() + row * width;
      out.insert(out.end(), from, from + width);
    }
  return out;
}

}  // namespace gaze::models
