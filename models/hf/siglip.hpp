// SPDX-License-Identifier: MIT
// The SigLIP tower (Zhai et al. 2023, arXiv 2303.15343; SigLIP 2: 2502.14786) that published
// vision-language checkpoints share: configuration and tensor names.
// Source: configuration_siglip.py, configuration_idefics3.py and modeling_siglip.py of transformers
// 4.49 to 5.24.
#pragma once
#include <string>
#include <vector>

#include "models/hf/config_file.hpp"
#include "models/hf/weight_rules.hpp"
#include "models/presets.hpp"
#include "models/vit.hpp"

namespace gaze::models::hf {

/// Sizes that a configuration may leave out; its class decides them.
struct TowerDefaults {
  Index width, mlp, layers, heads, image, patch;
};
inline constexpr TowerDefaults siglip_defaults{768, 3072, 12, 12, 224, 16};
inline constexpr TowerDefaults idefics3_defaults{1152, 3072, 12, 16, 224, 32};

/// The keys of a tower.
inline VitConfig read_tower(ConfigObject& c, const TowerDefaults& defaults) {
  VitConfig v{};
  v.width = c.count("hidden_size", defaults.width);
  v.mlp = c.count("intermediate_size", defaults.mlp);
  v.layers = c.count("num_hidden_layers", defaults.layers);
  GAZE_CHECK(v.layers <= most_layers, "checkpoint", c.where("num_hidden_layers"),
             ": must be at most ", most_layers, ", got ", v.layers);
  v.heads = c.count("num_attention_heads", defaults.heads);
  GAZE_CHECK(v.width % v.heads == 0, "checkpoint", c.where("num_attention_heads"), ": ", v.heads,
             " does not divide hidden_size, ", v.width);
  v.image = c.count("image_size", defaults.image);
  v.patch = c.count("patch_size", defaults.patch);
  GAZE_CHECK(v.patch <= v.image && v.image <= 8192, "checkpoint", c.where("image_size"), ": ",
             v.image, " is not from patch_size, ", v.patch, ", to 8192");
  v.eps = c.positive("layer_norm_eps", 1e-6);
  c.must_be("num_channels", 3);
  c.must_be("hidden_act", "gelu_pytorch_tanh");
  c.must_be("attention_dropout", 0.0);
  c.ignore({"initializer_range", "vision_use_head"});
  return v;
}

/// Where the convolution's weight [width, 3, P, P] has the columns of the patch embedding, whose
/// rows of pixels are [P, P, 3].
inline std::vector<std::int32_t> convolution_columns(Index patch) {
  std::vector<std::int32_t> out;
  for (Index pixel = 0; pixel < patch * patch; ++pixel)
    for (Index c = 0; c < 3; ++c)
      out.push_back(static_cast<std::int32_t>(c * patch * patch + pixel));
  return out;
}

/// The tower's parameters. `prefix`: of its tensors; `older`: that of an older generation of files.
/// `norm`: with the final norm.
inline std::vector<WeightRule> tower_weights(const VitConfig& v, Index shuffle, bool norm,
                                             const std::string& prefix,
                                             const std::string& older = "") {
  std::vector<WeightRule> out;
  const auto part = [&](const std::string& name, Index rows) {
    return WeightPart{prefix + name, rows, older.empty() ? "" : older + name, {}};
  };
  const auto layer = [&](const std::string& ours, const std::vector<std::string>& theirs,
                         Index rows) {
    for (const char* kind : {".weight", ".bias"}) {
      WeightRule& rule = out.emplace_back(WeightRule{ours + kind, {}});
      for (const std::string& name : theirs) rule.parts.push_back(part(name + kind, rows));
    }
  };
  layer("vit.embed", {"embeddings.patch_embedding"}, v.width);
  out.front().parts.front().shape = {v.width, 3, v.patch, v.patch};
  out.front().columns = convolution_columns(v.patch);
  out.push_back({"vit.position", {part("embeddings.position_embedding.weight", v.patches())}});
  out.back().rows = patch_order(v, shuffle);
  for (Index i = 0; i < v.layers; ++i) {
    const std::string ours = "vit." + std::to_string(i) + ".",
                      theirs = "encoder.layers." + std::to_string(i) + ".",
                      attention = theirs + "self_attn.";
    layer(ours + "norm1", {theirs + "layer_norm1"}, v.width);
    layer(ours + "qkv", {attention + "q_proj", attention + "k_proj", attention + "v_proj"},
          v.width);
    layer(ours + "out", {attention + "out_proj"}, v.width);
    layer(ours + "norm2", {theirs + "layer_norm2"}, v.width);
    layer(ours + "up", {theirs + "mlp.fc1"}, v.mlp);
    layer(ours + "down", {theirs + "mlp.fc2"}, v.width);
  }
  if (norm) layer("vit.norm", {"post_layernorm"}, v.width);
  return out;
}

}  // namespace gaze::models::hf
