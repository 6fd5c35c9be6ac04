// SPDX-License-Identifier: MIT
// The families `idefics3` and `smolvlm` (SmolVLM: a SigLIP tower, pixel shuffle, one linear layer,
// a Llama decoder): config.json and tensor names.
// Source: configuration_idefics3.py, configuration_smolvlm.py and modeling_idefics3.py of
// transformers 4.49 to 5.24. Position rows are taken as they are numbered, as there but for 4.55 to
// 4.57, whose rounding in float32 shifts them.
#pragma once
#include <string>
#include <vector>

#include "models/hf/llama.hpp"
#include "models/hf/siglip.hpp"

namespace gaze::models::hf {

namespace detail {

inline VitConfig read_idefics3_tower(ConfigObject c) {
  VitConfig v = read_tower(c, idefics3_defaults);
  c.must_be("tie_word_embeddings", false);
  c.must_be("use_base_siglip", false);
  c.ignore({"model_type", "size", "max_image_size"});
  ignore_general_keys(c);
  c.finish();
  return v;
}

/// Keys of the decoder's configuration that SmolVLM's files carry from their training.
inline void read_smolvlm_keys(ConfigObject& c, Index shuffle) {
  c.must_be("qk_layer_norms", false);
  c.must_be("use_resampler", false);
  c.must_be("model_type", "llama");
  if (c.has("pixel_shuffle_factor"))
    GAZE_CHECK(c.count("pixel_shuffle_factor") == shuffle, "checkpoint",
               c.where("pixel_shuffle_factor"), ": differs from scale_factor, ", shuffle);
  c.ignore(
      {"pixel_shuffle_factor", "_flash_attn_2_enabled", "neftune_noise_alpha", "perceiver_config"});
}

}  // namespace detail

inline CheckpointConfig read_idefics3(ConfigObject c) {
  CheckpointConfig out;
  VlmConfig& m = out.model;
  m.shuffle = c.count("scale_factor", 2);
  m.connector.projector = ProjectorForm::linear;
  m.vit = detail::read_idefics3_tower(c.object("vision_config"));
  GAZE_CHECK(m.vit.grid() % m.shuffle == 0, "checkpoint", c.where("scale_factor"), ": ", m.shuffle,
             " does not divide ", m.vit.grid(), ", the patches per side");
  ConfigObject text = c.object("text_config");
  detail::read_smolvlm_keys(text, m.shuffle);
  read_language(text, out);
  text.finish();
  m.decoder.tied = read_tied(c, text);
  out.image_token = read_image_token(c, "image_token_id", m.vocabulary);
  c.must_be("vocab_size", m.vocabulary);
  c.ignore({"use_cache", "_pad_token_id"});
  ignore_general_keys(c);
  c.finish();
  return out;
}

inline std::vector<WeightRule> idefics3_weights(const VlmConfig& m) {
  auto out = tower_weights(m.vit, m.shuffle, true, "model.vision_model.");
  out.push_back({"projector.up.weight",
                 {{"model.connector.modality_projection.proj.weight", m.decoder.width}}});
  for (WeightRule& rule : decoder_weights(m.decoder, m.vocabulary, "model.text_model."))
    out.push_back(std::move(rule));
  return out;
}

}  // namespace gaze::models::hf
