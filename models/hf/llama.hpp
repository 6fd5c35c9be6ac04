// SPDX-License-Identifier: MIT
// The family `llama` (LlamaForCausalLM: SmolLM2 and others): config.json and tensor names.
// Source: configuration_llama.py and modeling_llama.py of transformers 4.49 to 5.24.
#pragma once
#include <string>
#include <vector>

#include "models/hf/checkpoint_config.hpp"
#include "models/hf/config_file.hpp"
#include "models/hf/weight_rules.hpp"
#include "models/presets.hpp"

namespace gaze::models::hf {

/// Rotary positions without scaling: `rope_theta` (transformers 4) or `rope_parameters` (5).
inline double read_rope_theta(ConfigObject& c) {
  c.must_be("rope_scaling", nullptr);
  c.must_be("partial_rotary_factor", 1.0);
  if (!c.has("rope_parameters")) {
    c.ignore({"rope_parameters"});
    return c.positive("rope_theta", 10000);
  }
  ConfigObject rope = c.object("rope_parameters");
  rope.must_be("rope_type", "default");
  rope.must_be("partial_rotary_factor", 1.0);
  const double theta = rope.positive("rope_theta");
  rope.finish();
  if (c.has("rope_theta"))
    GAZE_CHECK(c.number("rope_theta") == theta, "checkpoint", c.where("rope_theta"),
               ": differs from rope_parameters.rope_theta, ", theta);
  return theta;
}

/// The positions that a decoder was trained for. Its values do not depend on them.
inline Index read_context(ConfigObject& c) {
  return c.count("max_position_embeddings", 2048);  // transformers' default
}

/// The keys of a decoder that `llama` and its descendants share.
inline DecoderConfig read_decoder(ConfigObject& c) {
  DecoderConfig d{};
  d.width = c.count("hidden_size");
  d.layers = c.count("num_hidden_layers");
  GAZE_CHECK(d.layers <= most_layers, "checkpoint", c.where("num_hidden_layers"),
             ": must be at most ", most_layers, ", got ", d.layers);
  d.heads = c.count("num_attention_heads");
  d.kv_heads = c.count("num_key_value_heads", d.heads);
  GAZE_CHECK(d.heads % d.kv_heads == 0, "checkpoint", c.where("num_key_value_heads"), ": ",
             d.kv_heads, " does not divide num_attention_heads, ", d.heads);
  GAZE_CHECK(c.has("head_dim") || d.width % d.heads == 0, "checkpoint", c.where("hidden_size"),
             ": ", d.width, " is not a multiple of num_attention_heads, ", d.heads);
  d.head_size = c.count("head_dim", d.width / d.heads);
  GAZE_CHECK(d.head_size % 2 == 0, "checkpoint", c.where("head_dim"), ": ", d.head_size,
             " is odd, but rotary positions turn pairs");
  d.mlp = c.count("intermediate_size");
  d.eps = c.positive("rms_norm_eps", 1e-6);
  d.rope_theta = read_rope_theta(c);
  d.embedding_multiplier = 1;
  d.tied = c.flag("tie_word_embeddings", false);
  c.must_be("hidden_act", "silu");
  c.must_be("attention_bias", false);
  c.must_be("mlp_bias", false);
  c.must_be("attention_dropout", 0.0);
  c.must_be("pretraining_tp", 1);
  c.must_be("rope_interleaved", false);
  c.must_be("is_decoder", false);
  c.must_be("add_cross_attention", false);
  c.ignore({"max_position_embeddings", "initializer_range", "use_cache"});
  return d;
}

/// Keys of every configuration that say nothing about the model's values.
inline void ignore_general_keys(ConfigObject& c) {
  c.ignore({"architectures", "model_type", "torch_dtype", "dtype", "transformers_version",
            "_name_or_path", "_attn_implementation_autoset", "bos_token_id", "eos_token_id",
            "pad_token_id", "transformers.js_config", "is_llama_config"});
}

/// The keys of a configuration of text: decoder, vocabulary, context.
inline void read_language(ConfigObject& c, CheckpointConfig& out) {
  out.context = read_context(c);
  out.model.decoder = read_decoder(c);
  out.model.vocabulary = c.count("vocab_size");
  ignore_general_keys(c);
}

/// The configuration of a text-only checkpoint.
inline CheckpointConfig read_llama(ConfigObject c) {
  CheckpointConfig out;
  read_language(c, out);
  c.finish();
  return out;
}

/// Whether the head is the embedding, for a configuration with one of text in it: either may say.
inline bool read_tied(ConfigObject& whole, ConfigObject& text) {
  const char* key = "tie_word_embeddings";
  const bool of_text = text.flag(key, false), tied = whole.flag(key, of_text);
  GAZE_CHECK(!text.has(key) || tied == of_text, "checkpoint", whole.where(key),
             ": differs from that of text_config");
  return tied;
}

/// The token that holds a picture's places.
inline std::int32_t read_image_token(ConfigObject& c, const char* key, Index vocabulary) {
  const Index token = c.count(key);
  GAZE_CHECK(token < vocabulary, "checkpoint", c.where(key), ": ", token, " is not a token of ",
             vocabulary);
  return static_cast<std::int32_t>(token);
}

/// The decoder's parameters. `prefix`: of its tensors, "model."; `head`: the untied head's name.
inline std::vector<WeightRule> decoder_weights(const DecoderConfig& d, Index vocabulary,
                                               const std::string& prefix,
                                               const std::string& head = "lm_head.weight") {
  const Index q = d.heads * d.head_size, kv = d.kv_heads * d.head_size;
  std::vector<WeightRule> out;
  const auto whole = [&](const std::string& parameter, const std::string& name, Index rows) {
    out.push_back({parameter, {{name, rows}}});
  };
  whole("decoder.embedding", prefix + "embed_tokens.weight", vocabulary);
  for (Index i = 0; i < d.layers; ++i) {
    const std::string ours = "decoder." + std::to_string(i) + ".",
                      theirs = prefix + "layers." + std::to_string(i) + ".";
    whole(ours + "norm1.weight", theirs + "input_layernorm.weight", d.width);
    out.push_back({ours + "qkv.weight",
                   {{theirs + "self_attn.q_proj.weight", q},
                    {theirs + "self_attn.k_proj.weight", kv},
                    {theirs + "self_attn.v_proj.weight", kv}}});
    whole(ours + "out.weight", theirs + "self_attn.o_proj.weight", d.width);
    whole(ours + "norm2.weight", theirs + "post_attention_layernorm.weight", d.width);
    out.push_back(
        {ours + "gate_up.weight",
         {{theirs + "mlp.gate_proj.weight", d.mlp}, {theirs + "mlp.up_proj.weight", d.mlp}}});
    whole(ours + "down.weight", theirs + "mlp.down_proj.weight", d.width);
  }
  whole("decoder.norm.weight", prefix + "norm.weight", d.width);
  if (!d.tied) whole("decoder.head", head, vocabulary);
  return out;
}

inline std::vector<WeightRule> llama_weights(const VlmConfig& c) {
  return decoder_weights(c.decoder, c.vocabulary, "model.");
}

}  // namespace gaze::models::hf
