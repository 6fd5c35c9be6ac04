// SPDX-License-Identifier: MIT
// The family `llava_next` with a Granite or Llama decoder (Granite Vision: several blocks of a
// SigLIP tower, two linear layers, a newline row): config.json and tensor names.
// Source: configuration_llava_next.py, configuration_granite.py and modeling_llava_next.py of
// transformers 4.49 to 5.24. Granite's logits are divided by logits_scaling, as in transformers
// before 4.52, vLLM and llama.cpp; from 4.52 on this class of transformers leaves the division out.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "gaze/image/tile_plan.hpp"
#include "models/hf/llama.hpp"
#include "models/hf/siglip.hpp"
#include "models/packing.hpp"

namespace gaze::models::hf {

namespace detail {

/// vision_feature_layer: a number or a list; from the embedding, 0, to the last block, or backwards
/// from it, -1.
inline Taps read_taps(ConfigObject& c, Index layers) {
  const char* key = "vision_feature_layer";
  Taps taps;
  for (const std::int64_t at : c.integers(key, {-2})) {
    GAZE_CHECK(at >= -layers - 1 && at <= layers, "checkpoint", c.where(key), ": ", at,
               " is not a block of ", layers);
    GAZE_CHECK(taps.count < static_cast<Index>(taps.block.size()), "checkpoint", c.where(key),
               ": more than ", taps.block.size(), " blocks");
    taps.block[static_cast<std::size_t>(taps.count++)] = at < 0 ? layers + 1 + at : at;
  }
  GAZE_CHECK(taps.count > 0, "checkpoint", c.where(key), ": names no block");
  return taps;
}

/// The multipliers of a Granite decoder (configuration_granite.py); 1 in their absence.
inline void read_granite_keys(ConfigObject& c, DecoderConfig& d) {
  d.embedding_multiplier = c.positive("embedding_multiplier", 1);
  d.attention_multiplier = c.positive("attention_multiplier", 1);
  d.residual_multiplier = c.number("residual_multiplier", 1);
  d.logits_divisor = c.positive("logits_scaling", 1);
}

}  // namespace detail

inline CheckpointConfig read_llava_next(ConfigObject c) {
  CheckpointConfig out;
  VlmConfig& m = out.model;
  m.shuffle = 1;
  m.connector.projector = ProjectorForm::exact_mlp;
  m.connector.newline = true;
  ConfigObject tower = c.object("vision_config");
  tower.must_be("model_type", "siglip_vision_model");
  m.vit = read_tower(tower, siglip_defaults);
  tower.ignore({"model_type"});
  ignore_general_keys(tower);
  tower.finish();
  m.connector.taps = detail::read_taps(c, m.vit.layers);
  const auto& taps = m.connector.taps;
  m.vit.layers = *std::max_element(taps.block.begin(), taps.block.begin() + taps.count);

  ConfigObject text = c.object("text_config");
  const std::string type = text.text("model_type");
  GAZE_CHECK(type == "granite" || type == "llama", "checkpoint", text.where("model_type"), ": ",
             printable(type, kShownBytes), " is not supported, only granite and llama");
  read_language(text, out);
  if (type == "granite") detail::read_granite_keys(text, m.decoder);
  text.finish();
  m.connector.multiplier = m.decoder.embedding_multiplier;
  m.decoder.tied = read_tied(c, text);

  out.image_token = read_image_token(c, "image_token_index", m.vocabulary);
  out.pinpoints = c.pairs("image_grid_pinpoints", 1024);
  c.must_be("projector_hidden_act", "gelu");
  c.must_be("multimodal_projector_bias", true);
  c.must_be("vision_feature_select_strategy", "full");
  c.ignore({"image_seq_length", "use_image_newline_parameter"});
  ignore_general_keys(c);
  c.finish();
  return out;
}

/// The canvases of a checkpoint with image_grid_pinpoints.
inline image::AnyresTiling tiling_of(const CheckpointConfig& c) {
  image::AnyresTiling out{static_cast<int>(c.model.vit.image), {}};
  for (const auto& [height, width] : c.pinpoints)
    out.resolutions.push_back({static_cast<int>(width), static_cast<int>(height)});
  return out;
}

/// The rows of a picture's image tokens in the features of its tiles, per_side x per_side each: the
/// whole picture, then row by row what the padding leaves of the grid, each row with a newline.
/// `first`: the row of the first tile.
inline std::vector<std::int32_t> anyres_rows(const image::TilePlan& plan, int per_side,
                                             std::int32_t first = 0) {
  const image::FeatureWindow kept = image::unpadded_features(plan, per_side);
  const int tile = per_side * per_side;
  std::vector<std::int32_t> out(static_cast<std::size_t>(tile));
  std::iota(out.begin(), out.end(), first);
  for (int y = kept.top; y < kept.top + kept.rows; ++y) {
    for (int x = kept.left; x < kept.left + kept.columns; ++x) {
      const int number = 1 + y / per_side * plan.columns + x / per_side;
      out.push_back(first + number * tile + y % per_side * per_side + x % per_side);
    }
    out.push_back(Prompt::newline_row);
  }
  return out;
}

inline std::vector<WeightRule> llava_next_weights(const VlmConfig& m) {
  auto out = tower_weights(m.vit, 1, false, "vision_tower.", "vision_tower.vision_model.");
  for (const auto& [ours, theirs] : {std::pair("up", "linear_1"), {"down", "linear_2"}})
    for (const std::string kind : {".weight", ".bias"})
      out.push_back({std::string("projector.") + ours + kind,
                     {{std::string("multi_modal_projector.") + theirs + kind, m.decoder.width}}});
  out.push_back({"projector.newline", {{"image_newline", m.decoder.width}}});
  for (WeightRule& rule : decoder_weights(m.decoder, m.vocabulary, "language_model.model.",
                                          "language_model.lm_head.weight"))
    out.push_back(std::move(rule));
  return out;
}

}  // namespace gaze::models::hf
