// SPDX-License-Identifier: MIT
// Fuzz target: adapters in PEFT's format for a small decoder: adapter_config.json, and the header
// of adapter_model.safetensors, as JSON, with 128 bytes of data.
#include <string>
#include <string_view>
#include <vector>

#include "gaze/io/json.hpp"
#include "models/hf/adapter.hpp"
#include "models/hf/llama.hpp"
#include "tests/fuzz/safetensors_file.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_adapter {

using namespace gaze;
using namespace gaze::models;

std::vector<hf::WeightRule> weights() {
  VlmConfig config{.vit = {}, .shuffle = 1, .decoder = {}};
  config.decoder.width = 8;
  config.decoder.layers = 1;
  config.decoder.heads = config.decoder.kv_heads = 2;
  config.decoder.head_size = 4;
  config.decoder.mlp = 16;
  config.vocabulary = 32;
  return hf::llama_weights(config);
}

void run(std::string_view input) {
  static const fuzz::Folder folder;
  static const auto rules = weights();
  fuzz::Pieces pieces{input};
  folder.put("adapter_config.json", pieces.next());
  folder.put("adapter_model.safetensors",
             fuzz::safetensors_file(io::parse_json(pieces.rest, "the header"), 128));
  const hf::Adapter adapter = hf::open_adapter(folder.path(), rules);
  fuzz::require(!adapter.plan.empty() && !adapter.rules.empty(), "no adapters");
}

const fuzz::Target target("adapter", run);

}  // namespace fuzz_adapter
