// SPDX-License-Identifier: MIT
// Model sizes as data.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze::models {

/// Most layers of a model from a file: far more than any has, few enough to declare in a moment.
inline constexpr Index most_layers = 1024;

/// A vision transformer on square images; patches of `patch` pixels.
struct VitConfig {
  Index image, patch, width, layers, heads, mlp;
  double eps = 1e-5;

  Index grid() const { return image / patch; }
  Index patches() const { return grid() * grid(); }
  bool operator==(const VitConfig&) const = default;
};

/// The blocks of a tower whose outputs, joined by channels, are its features.
struct Taps {
  std::array<Index, 8> block{};  // 0: the embedded patches
  Index count = 0;               // 0: the last block's output alone, normalised

  bool operator==(const Taps&) const = default;
};

/// From a tower's features to rows of the decoder: linear, gelu, linear, both with a bias; the same
/// with the exact gelu; one linear without a bias.
enum class ProjectorForm { mlp, exact_mlp, linear };

/// How the features of a tower become rows of the decoder.
struct ConnectorConfig {
  Taps taps;
  ProjectorForm projector = ProjectorForm::mlp;
  bool newline = false;   // a learned row ends each row of a picture of several tiles
  double multiplier = 1;  // of the picture's rows

  bool operator==(const ConnectorConfig&) const = default;
};

/// A decoder with rotary positions, grouped-query attention and SwiGLU.
struct DecoderConfig {
  Index width, layers, heads, kv_heads, head_size, mlp;
  double rope_theta = 10000, eps = 1e-5;
  double embedding_multiplier = 0;  // of token embeddings; 0: sqrt(width)
  double attention_multiplier = 0;  // of the attention scores; 0: 1 / sqrt(head_size)
  double residual_multiplier = 1;   // of what a block adds to its rows
  double logits_divisor = 1;
  bool tied = true;  // the vocabulary projection is the embedding

  double embedding_scale() const {
    return embedding_multiplier > 0 ? embedding_multiplier : std::sqrt(static_cast<double>(width));
  }
  double attention_scale() const {
    return attention_multiplier > 0 ? attention_multiplier
                                    : 1 / std::sqrt(static_cast<double>(head_size));
  }
  bool operator==(const DecoderConfig&) const = default;
};

/// A decoder alone, for text.
struct LanguageConfig {
  DecoderConfig decoder;
  Index vocabulary = 0;
  bool bf16 = false;  // of products, as in VlmConfig

  bool operator==(const LanguageConfig&) const = default;
};

/// Pixel shuffle joins shuffle x shuffle patches into one image token.
struct VlmConfig {
  VitConfig vit;
  Index shuffle;
  DecoderConfig decoder;
  Index vocabulary = 0;  // set from the tokeniser
  bool bf16 = false;     // of products (Parameters::multiply_in_bf16()), on Cuda of attention too
  ConnectorConfig connector = {};

  bool sees() const { return vit.width > 0; }
  /// The decoder alone.
  LanguageConfig language() const { return {decoder, vocabulary, bf16}; }
  /// Channels of an image token before the projector.
  Index joined_width() const {
    return vit.width * std::max<Index>(1, connector.taps.count) * shuffle * shuffle;
  }
  Index image_tokens() const { return vit.patches() / (shuffle * shuffle); }
  Index image_side() const { return vit.grid() / shuffle; }
  bool operator==(const VlmConfig&) const = default;
};

struct Preset {
  const char* name;
  VlmConfig config;
};

inline constexpr std::array<Preset, 5> presets = {{
    //          image patch width layers heads mlp        width layers heads kv D mlp
    {"nano", {{64, 8, 48, 2, 3, 128}, 2, {64, 2, 2, 1, 32, 160}}},  // for tests
    {"tiny", {{64, 8, 96, 4, 3, 384}, 2, {128, 6, 4, 2, 32, 344}}},
    {"small", {{96, 8, 192, 6, 6, 768}, 2, {256, 6, 8, 4, 32, 704}}},
    {"base", {{128, 8, 256, 8, 8, 1024}, 2, {384, 8, 6, 3, 64, 1024}}},
    {"large", {{256, 16, 512, 10, 8, 2048}, 2, {768, 12, 12, 4, 64, 2048}}},
}};

inline VlmConfig preset(std::string_view name) {
  std::string known;
  for (const auto& p : presets) {
    if (name == p.name) return p.config;
    known += std::string(known.empty() ? "" : ", ") + p.name;
  }
  GAZE_FAIL("preset", "no model named ", name, "; there are ", known);
}

/// The name of the preset with these sizes, whatever the vocabulary and precision, or "custom".
inline std::string size_name(const VlmConfig& c) {
  for (const auto& p : presets) {
    VlmConfig same = p.config;
    same.vocabulary = c.vocabulary;
    same.bf16 = c.bf16;
    if (same == c) return p.name;
  }
  return "custom";
}

}  // namespace gaze::models
