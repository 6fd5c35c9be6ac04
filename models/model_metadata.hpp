// SPDX-License-Identifier: MIT
// What a trained model's .safetensors file says about itself, so that nothing else is needed to
// build it: one JSON text under the key `gaze.model` of the file's metadata,
//   {"version": 1, "kind": "vlm", "precision": "float32", "vocabulary": 812, "shuffle": 2,
//    "vit": {"image": 64, "patch": 8, ...}, "decoder": {"width": 128, ..., "tied": true},
//    "prompt": "<|user|>{image} {question}<|assistant|>"}
// with the members of VlmConfig by their names (a multiplier of 0 means the default there too). The
// kind `language` is a LanguageConfig, without `vit` and `shuffle`. Every key is required and no
// other is allowed; numbers are read back to the same bits.
//
// Older files name a preset instead, in three texts of their metadata: model, precision, prompt.
#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <variant>

#include "gaze/io/safetensors.hpp"
#include "models/hf/config_file.hpp"
#include "models/presets.hpp"

namespace gaze::models {

inline constexpr const char* metadata_key = "gaze.model";
inline constexpr Index metadata_version = 1;

struct ModelMetadata {
  std::variant<VlmConfig, LanguageConfig> config;  // vocabulary 0: not said by an older file
  std::string prompt;                              // template of a problem's prompt
};

/// Whether products are in bf16, of the name of a precision; `source` starts the message about
/// another name.
inline bool is_bf16(const std::string& precision, const std::string& source) {
  GAZE_CHECK(precision == "bf16" || precision == "float32", "checkpoint", source,
             "precision: must be float32 or bf16, got ", printable(precision, kShownBytes));
  return precision == "bf16";
}

namespace detail {

/// Calls field(name, member) for each member. A new member stops the compilation here.
template <class Config, class Field>
void vit_fields(Config& c, Field&& field) {
  auto& [image, patch, width, layers, heads, mlp, eps] = c;
  field("image", image);
  field("patch", patch);
  field("width", width);
  field("layers", layers);
  field("heads", heads);
  field("mlp", mlp);
  field("eps", eps);
}

template <class Config, class Field>
void decoder_fields(Config& c, Field&& field) {
  auto& [width, layers, heads, kv_heads, head_size, mlp, rope_theta, eps, embedding_multiplier,
         attention_multiplier, residual_multiplier, logits_divisor, tied] = c;
  field("width", width);
  field("layers", layers);
  field("heads", heads);
  field("kv_heads", kv_heads);
  field("head_size", head_size);
  field("mlp", mlp);
  field("rope_theta", rope_theta);
  field("eps", eps);
  field("embedding_multiplier", embedding_multiplier);
  field("attention_multiplier", attention_multiplier);
  field("residual_multiplier", residual_multiplier);
  field("logits_divisor", logits_divisor);
  field("tied", tied);
}

/// Checks of a configuration's sizes. `source` starts the messages.
class SizeCheck {
 public:
  explicit SizeCheck(const std::string& source) : source_(source) {}

  void decoder(const DecoderConfig& c, Index vocabulary) const {
    decoder_fields(c, [&](const char* key, auto value) { bounded("decoder.", key, value); });
    at_most("vocabulary", vocabulary, Index{1} << 26);
    at_most("decoder.layers", c.layers, most_layers);
    need(c.heads % c.kv_heads == 0, "decoder.kv_heads: ", c.kv_heads, " does not divide heads, ",
         c.heads);
    need(c.head_size % 2 == 0, "decoder.head_size: ", c.head_size,
         " is odd, but rotary positions turn pairs");
    at_most("decoder.head_size times heads", c.heads * c.head_size, most_size);
    above_0("decoder.rope_theta", c.rope_theta);
    above_0("decoder.eps", c.eps);
    above_0("decoder.logits_divisor", c.logits_divisor);
    need(c.embedding_multiplier >= 0, "decoder.embedding_multiplier: must be at least 0, got ",
         c.embedding_multiplier);
    need(c.attention_multiplier >= 0, "decoder.attention_multiplier: must be at least 0, got ",
         c.attention_multiplier);
  }

  void vlm(const VlmConfig& c) const {
    const VitConfig& v = c.vit;
    decoder(c.decoder, c.vocabulary);
    vit_fields(v, [&](const char* key, auto value) { bounded("vit.", key, value); });
    at_most("shuffle", c.shuffle, most_side);
    at_most("vit.image", v.image, most_side);
    at_most("vit.layers", v.layers, most_layers);
    need(v.image % v.patch == 0, "vit.patch: ", v.patch, " does not divide image, ", v.image);
    need(v.width % v.heads == 0, "vit.heads: ", v.heads, " does not divide width, ", v.width);
    above_0("vit.eps", v.eps);
    need(v.grid() % c.shuffle == 0, "shuffle: ", c.shuffle, " does not divide ", v.grid(),
         ", the patches per side");
    at_most("vit.width times the square of shuffle", v.width * c.shuffle * c.shuffle,
            Index{1} << 26);
  }

 private:
  // Larger sizes would overflow the number of a matrix's elements.
  static constexpr Index most_size = Index{1} << 20, most_side = Index{1} << 13;

  template <class... Parts>
  void need(bool good, const Parts&... complaint) const {
    GAZE_CHECK(good, "checkpoint", source_, ", ", complaint...);
  }
  void at_most(const char* key, Index value, Index most) const {
    need(value >= 1 && value <= most, key, ": must be in [1, ", most, "], got ", value);
  }
  void above_0(const char* key, double value) const {
    need(hf::is_positive_float(value), key, ": must be a float above 0, got ", value);
  }
  template <class T>
  void bounded(const std::string& part, const char* key, T value) const {
    if constexpr (std::is_same_v<T, Index>) at_most((part + key).c_str(), value, most_size);
    if constexpr (std::is_same_v<T, double>)
      need(std::isfinite(value), part, key, ": is not finite");
  }

  const std::string& source_;
};

/// Reads a configuration's member from an object of the JSON text.
struct ReadField {
  hf::ConfigObject& from;

  void operator()(const char* key, Index& to) const { to = from.count(key); }
  void operator()(const char* key, double& to) const { to = from.number(key); }
  void operator()(const char* key, bool& to) const { to = from.flag(key); }
};

inline DecoderConfig read_decoder_sizes(hf::ConfigObject from) {
  DecoderConfig out{};
  decoder_fields(out, ReadField{from});
  from.finish();
  return out;
}

inline VitConfig read_vit_sizes(hf::ConfigObject from) {
  VitConfig out{};
  vit_fields(out, ReadField{from});
  from.finish();
  return out;
}

inline ModelMetadata read_described(const std::string& text, const std::string& source) {
  hf::ConfigObject all(io::parse_json(text, source), source);
  const Index version = all.count("version");
  GAZE_CHECK(version == metadata_version, "checkpoint", all.where("version"), ": ", version,
             ", but this program reads version ", metadata_version);
  const std::string kind = all.text("kind");
  GAZE_CHECK(kind == "vlm" || kind == "language", "checkpoint", all.where("kind"),
             ": must be vlm or language, got ", printable(kind, kShownBytes));
  ModelMetadata out{{}, all.text("prompt")};
  const bool bf16 = is_bf16(all.text("precision"), source + ", ");
  const auto decoder = read_decoder_sizes(all.object("decoder"));
  const Index vocabulary = all.count("vocabulary");
  const SizeCheck check(source);
  if (kind == "vlm") {
    const auto vit = read_vit_sizes(all.object("vit"));
    const VlmConfig config{vit, all.count("shuffle"), decoder, vocabulary, bf16};
    check.vlm(config);
    out.config = config;
  } else {
    check.decoder(decoder, vocabulary);
    out.config = LanguageConfig{decoder, vocabulary, bf16};
  }
  all.finish();
  return out;
}

/// Of a file that names a preset.
inline ModelMetadata read_named(const io::SafetensorsFile& file) {
  const std::string source = file.path() + ", metadata ";
  const auto field = [&](const char* key) {
    const auto found = file.metadata().find(key);
    GAZE_CHECK(found != file.metadata().end(), "checkpoint", file.path(), ": metadata has neither ",
               metadata_key, " nor ", key, ", so this is not a model that Gaze trained");
    return found->second;
  };
  const std::string name = field("model");
  GAZE_CHECK(
      std::any_of(presets.begin(), presets.end(), [&](const Preset& p) { return name == p.name; }),
      "checkpoint", source, "model: no model named ", printable(name, kShownBytes));
  VlmConfig config = preset(name);
  const auto precision = file.metadata().find("precision");
  if (precision != file.metadata().end()) config.bf16 = is_bf16(precision->second, source);
  return {config, field("prompt")};
}

inline io::Metadata described(const char* kind, const DecoderConfig& decoder, Index vocabulary,
                              bool bf16, const std::string& prompt, const VlmConfig* vlm) {
  io::OrderedJson j = {{"version", metadata_version},
                       {"kind", kind},
                       {"precision", bf16 ? "bf16" : "float32"},
                       {"vocabulary", vocabulary}};
  const auto into = [&j](const char* part) {
    return [&to = j[part]](const char* key, const auto& value) { to[key] = value; };
  };
  if (vlm) {
    j["shuffle"] = vlm->shuffle;
    vit_fields(vlm->vit, into("vit"));
  }
  decoder_fields(decoder, into("decoder"));
  j["prompt"] = prompt;
  return {{metadata_key, io::dump_json(j, "a model's metadata")}};
}

}  // namespace detail

/// The metadata of a file for this model's weights. Throws Error for sizes that no model can have.
inline io::Metadata model_metadata(const VlmConfig& c, const std::string& prompt) {
  const std::string source = "a model's metadata";
  detail::SizeCheck(source).vlm(c);
  return detail::described("vlm", c.decoder, c.vocabulary, c.bf16, prompt, &c);
}
inline io::Metadata model_metadata(const LanguageConfig& c, const std::string& prompt) {
  const std::string source = "a model's metadata";
  detail::SizeCheck(source).decoder(c.decoder, c.vocabulary);
  return detail::described("language", c.decoder, c.vocabulary, c.bf16, prompt, nullptr);
}

/// What a file says about its model. Throws Error naming file and key.
inline ModelMetadata read_model_metadata(const io::SafetensorsFile& file) {
  const auto found = file.metadata().find(metadata_key);
  if (found == file.metadata().end()) return detail::read_named(file);
  return detail::read_described(found->second,
                                file.path() + ", metadata " + std::string(metadata_key));
}

}  // namespace gaze::models
