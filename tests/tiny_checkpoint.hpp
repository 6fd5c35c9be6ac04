// SPDX-License-Identifier: MIT
// Published checkpoints in a folder: the random weights of tests/golden/hf/llama/tied, with a
// tokeniser of single characters and a chat template, and a SmolVLM.
#pragma once
#include <string>

#include "gaze/io/json.hpp"
#include "gaze/text/byte_alphabet.hpp"
#include "models/hf/chat.hpp"
#include "tests/folder.hpp"

namespace gaze::test {

/// 96 tokens, of which three are special; characters that are not among them are left out.
inline io::Json tiny_tokenizer() {
  io::Json vocabulary, added = io::Json::array();
  int id = 0;
  for (const char* special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    added.push_back({{"id", id},
                     {"content", special},
                     {"special", true},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false}});
    vocabulary[special] = id++;
  }
  vocabulary[text::byte_character('\n')] = id++;
  for (char c = ' '; id < 96; ++c)  // to '|'
    if (c != '"') vocabulary[text::byte_character(static_cast<unsigned char>(c))] = id++;
  const io::Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  return {{"version", "1.0"},
          {"added_tokens", added},
          {"pre_tokenizer", byte_level},
          {"decoder", byte_level},
          {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", io::Json::array()}}}};
}

/// Writes the files; returns the folder. `context`: in tokens; `chat`: the template's text.
inline std::string tiny_checkpoint(
    const Folder& place, int context = 512,
    const std::string& chat = std::string(models::hf::chat_templates[1].text)) {
  const std::string from = std::string(GAZE_GOLDEN_DIR) + "/hf/llama/tied/";
  io::Json config = io::read_json_object(from + "config.json");
  config["max_position_embeddings"] = context;
  place.put("tiny/config.json", config.dump());
  place.put("tiny/model.safetensors", io::read_file(from + "model.safetensors"));
  place.put("tiny/tokenizer.json", tiny_tokenizer().dump());
  place.put("tiny/tokenizer_config.json", io::Json{{"chat_template", chat}}.dump());
  return place.file("tiny");
}

/// The same of one that sees: tests/golden/hf/idefics3.
inline std::string tiny_smolvlm(const Folder& place, int context = 4096) {
  const std::string from = std::string(GAZE_GOLDEN_DIR) + "/hf/idefics3/";
  for (const char* name : {"model.safetensors", "tokenizer.json", "preprocessor_config.json",
                           "chat_template.jinja", "generation_config.json"})
    place.put(std::string("smolvlm/") + name, io::read_file(from + name));
  io::Json config = io::read_json_object(from + "config.json");
  config["text_config"]["max_position_embeddings"] = context;
  place.put("smolvlm/config.json", config.dump());
  return place.file("smolvlm");
}

}  // namespace gaze::test
