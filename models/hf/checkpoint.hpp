// SPDX-License-Identifier: MIT
// A published checkpoint: a folder as transformers writes it. Reads everything but the weights:
// architecture, tensor names, end tokens, chat template.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "models/hf/chat.hpp"
#include "models/hf/config_file.hpp"
#include "models/hf/idefics3.hpp"
#include "models/hf/llama.hpp"
#include "models/hf/llava_next.hpp"
#include "models/hf/weight_rules.hpp"
#include "models/presets.hpp"

namespace gaze::models::hf {

/// What a family decides. A family is a file in this folder and a row of the table below.
struct Family {
  std::string_view model_type;  // of config.json
  CheckpointConfig (*config)(ConfigObject);
  std::vector<WeightRule> (*weights)(const VlmConfig&);
};

inline constexpr std::array<Family, 4> families = {{
    {"llama", read_llama, llama_weights},
    {"idefics3", read_idefics3, idefics3_weights},
    {"smolvlm", read_idefics3, idefics3_weights},
    {"llava_next", read_llava_next, llava_next_weights},
}};

struct Checkpoint : CheckpointConfig {
  std::string folder;
  std::string family;  // model_type
  std::vector<WeightRule> weights;
  std::vector<std::int32_t> ends;  // tokens that end an answer
  std::string chat, chat_file;     // the chat template's text and file; "" if there is none
};

/// From now on the logits are those before the division by logits_scaling: the classes of
/// transformers from 4.52 on that hold a Granite decoder leave it out. Throws Error if the
/// configuration has no such division.
inline void leave_out_logits_scaling(Checkpoint& c) {
  GAZE_CHECK(c.model.decoder.logits_divisor != 1, "checkpoint", c.folder,
             "/config.json: without logits_scaling, there is none to leave out");
  c.model.decoder.logits_divisor = 1;
}

namespace detail {

inline const Family& family_of(const io::Json& config, const std::string& path) {
  const std::string type = io::json_text(config, "model_type", path, "");
  std::string known;
  for (const Family& f : families) {
    if (f.model_type == type) return f;
    known += (known.empty() ? "" : ", ") + std::string(f.model_type);
  }
  GAZE_FAIL("checkpoint", path, ", model_type: ", printable(type, kShownBytes),
            " is not supported; known are ", known);
}

/// eos_token_id of a file: a number, a list of them, or nothing.
inline std::vector<std::int32_t> end_tokens_of(const io::Json& file, const std::string& path,
                                               Index vocabulary) {
  std::vector<std::int32_t> out;
  const auto found = file.find("eos_token_id");
  if (found == file.end() || found->is_null()) return out;
  for (const io::Json& id : found->is_array() ? *found : io::Json::array({*found})) {
    GAZE_CHECK(id.is_number_integer() && id.get<std::int64_t>() >= 0 &&
                   id.get<std::int64_t>() < vocabulary,
               "checkpoint", path, ", eos_token_id: ", printable(id.dump(), kShownBytes),
               " is not a token of ", vocabulary);
    out.push_back(id.get<std::int32_t>());
  }
  return out;
}

inline std::vector<std::int32_t> read_end_tokens(const std::string& folder, Index vocabulary) {
  for (const char* name : {"generation_config.json", "config.json"}) {
    const std::string path = folder + "/" + name;
    if (!std::filesystem::exists(path)) continue;
    const auto ends = end_tokens_of(io::read_json_object(path), path, vocabulary);
    if (!ends.empty()) return ends;
  }
  GAZE_FAIL("checkpoint", folder, ": no eos_token_id in generation_config.json or config.json");
}

}  // namespace detail

/// Whether a folder looks like a published checkpoint rather than one of ours.
inline bool is_published_checkpoint(const std::string& folder) {
  return std::filesystem::exists(folder + "/config.json") &&
         (std::filesystem::exists(folder + "/model.safetensors") ||
          std::filesystem::exists(folder + "/model.safetensors.index.json"));
}

/// Reads a folder's files except the weights. Errors name file and key.
inline Checkpoint open_checkpoint(const std::string& folder) {
  const std::string path = folder + "/config.json";
  const io::Json config = io::read_json_object(path);
  const Family& family = detail::family_of(config, path);
  Checkpoint out{family.config(ConfigObject(config, path)),
                 folder,
                 std::string(family.model_type),
                 {},
                 {},
                 "",
                 ""};
  out.weights = family.weights(out.model);
  out.ends = detail::read_end_tokens(folder, out.model.vocabulary);
  std::tie(out.chat, out.chat_file) = read_chat_template(folder);
  return out;
}

}  // namespace gaze::models::hf
