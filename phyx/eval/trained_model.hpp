// SPDX-License-Identifier: MIT
// A trained model from its files: weights, their preset and prompt, and the tokeniser beside them.
#pragma once
#include <algorithm>
#include <filesystem>
#include <memory>

#include "gaze/io/folders.hpp"
#include "gaze/train/checkpoint.hpp"
#include "phyx/eval/evaluator.hpp"

namespace gaze::phyx {

template <class Device>
struct TrainedModel {
  text::Tokenizer tokenizer;
  std::unique_ptr<Model<Device>> model;
  std::unique_ptr<ExampleMaker> maker;
  std::string weights_file, tokenizer_file;
};

/// `path` is a .safetensors file, or a folder with model.safetensors in it. tokenizer.json is
/// looked for there and in the folders above, where an ablation keeps it.
template <class Device = Cpu>
std::unique_ptr<TrainedModel<Device>> load_model(const std::string& path) {
  namespace fs = std::filesystem;
  GAZE_CHECK(io::exists(path), "load_model", path, ": no such file or folder");
  const std::string weights = fs::is_directory(path) ? path + "/model.safetensors" : path;
  const io::SafetensorsFile file(weights);
  const auto field = [&](const char* key) {
    const auto found = file.metadata().find(key);
    GAZE_CHECK(found != file.metadata().end(), "load_model", weights, ": metadata has no ", key);
    return found->second;
  };
  fs::path folder = fs::absolute(weights).parent_path();
  while (!io::exists((folder / "tokenizer.json").string())) {
    GAZE_CHECK(folder.has_relative_path(), "load_model", weights,
               ": no tokenizer.json beside it or above it");
    folder = folder.parent_path();
  }
  const std::string words = (folder / "tokenizer.json").string();
  auto out = std::make_unique<TrainedModel<Device>>(
      TrainedModel<Device>{text::Tokenizer::load(words), nullptr, nullptr, weights, words});
  const std::string size = field("model");
  const auto known = [&](const models::Preset& p) { return size == p.name; };
  GAZE_CHECK(std::any_of(models::presets.begin(), models::presets.end(), known), "load_model",
             weights, ", metadata model: no model named ", size);
  models::VlmConfig config = models::preset(size);
  const auto precision = file.metadata().find("precision");
  if (precision != file.metadata().end()) {
    config.bf16 = precision->second == "bf16";
    GAZE_CHECK(config.bf16 || precision->second == "float32", "load_model", weights,
               ", metadata precision: must be float32 or bf16, got ", precision->second);
  }
  config.vocabulary = out->tokenizer.vocab_size();
  PromptTemplate prompts;
  prompts.problem = field("prompt");
  out->model = std::make_unique<Model<Device>>(config, out->tokenizer.image(), 0);
  load_weights(weights, out->model->parameters());
  out->maker = std::make_unique<ExampleMaker>(out->tokenizer, config, prompts);
  return out;
}

}  // namespace gaze::phyx
