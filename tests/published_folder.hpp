// SPDX-License-Identifier: MIT
// A tiny published checkpoint of family llama with random weights: every byte is a token, and
// <|im_start|> and <|im_end|> are control tokens.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/io/safetensors.hpp"
#include "gaze/text/byte_alphabet.hpp"
#include "models/hf/chat.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/weight_rules.hpp"
#include "models/language_model.hpp"
#include "tests/folder.hpp"

namespace gaze::test {

inline io::Json byte_tokenizer_json() {
  io::Json vocabulary = io::Json::object(), added = io::Json::array();
  for (int byte = 0; byte < 256; ++byte)
    vocabulary[text::byte_character(static_cast<unsigned char>(byte))] = byte;
  for (const char* control : {"<|im_start|>", "<|im_end|>"})
    added.push_back({{"id", 256 + added.size()},
                     {"content", control},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  const io::Json byte_level = {{"type", "ByteLevel"},
                               {"add_prefix_space", false},
                               {"trim_offsets", true},
                               {"use_regex", true}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"post_processor", nullptr},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"vocab", vocabulary},
            {"merges", io::Json::array()}}}};
}

/// Writes a model's weights under the names of the checkpoint's rules.
inline void write_published_weights(const std::string& path,
                                    const std::vector<models::hf::WeightRule>& rules,
                                    Parameters<float, Cpu>& parameters) {
  std::vector<io::TensorView> tensors;
  for (const auto& rule : rules) {
    const auto* p = parameters.find(rule.parameter);
    const float* from = p->value.data();
    for (const auto& part : rule.parts) {
      std::vector<std::int64_t> shape{part.rows};
      for (int i = 1; i < p->shape.rank(); ++i) shape.push_back(p->shape[i]);
      const auto count = static_cast<std::size_t>(part.rows * (p->shape.numel() / p->shape[0]));
      tensors.push_back({part.name, "F32", shape, std::as_bytes(std::span(from, count))});
      from += count;
    }
  }
  io::write_safetensors(path, tensors);
}

/// Writes such a checkpoint into a folder. `chat`: the text of its chat template.
inline void put_published(const Folder& folder, const std::string& chat) {
  const io::Json config = {
      {"model_type", "llama"},       {"hidden_size", 32},        {"num_hidden_layers", 2},
      {"num_attention_heads", 4},    {"num_key_value_heads", 2}, {"intermediate_size", 48},
      {"vocab_size", 258},           {"rms_norm_eps", 1e-5},     {"rope_theta", 10000.0},
      {"tie_word_embeddings", true}, {"eos_token_id", 257}};
  folder.put("config.json", config.dump());
  folder.put("tokenizer.json", byte_tokenizer_json().dump());
  folder.put("tokenizer_config.json", io::Json{{"chat_template", chat}}.dump());
  const auto checkpoint = models::hf::open_checkpoint(folder.path.string());
  models::LanguageModel<float> model(checkpoint.config, 5);
  write_published_weights(folder.file("model.safetensors"), checkpoint.weights, model.parameters());
}

inline std::string chatml() { return std::string(models::hf::chat_templates[1].text); }

}  // namespace gaze::test
