// SPDX-License-Identifier: MIT
// Reading a model's files; load_model() on the CPU.
#include "phyx/eval/trained_model.hpp"

#include <algorithm>
#include <filesystem>

#include "gaze/core/error.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/safetensors.hpp"
#include "models/presets.hpp"
#include "phyx/eval/trained_model.inl"

namespace gaze::phyx {

namespace {

namespace fs = std::filesystem;

/// tokenizer.json next to the weights, or in the nearest folder above.
std::string tokenizer_file(const std::string& weights) {
  fs::path folder = fs::absolute(weights).parent_path();
  while (!io::exists((folder / "tokenizer.json").string())) {
    GAZE_CHECK(folder.has_relative_path(), "load_model", weights,
               ": no tokenizer.json in its folder or above it");
    folder = folder.parent_path();
  }
  return (folder / "tokenizer.json").string();
}

/// The configuration named by the metadata of the weights, without the vocabulary size.
models::VlmConfig named_config(const std::string& weights, const std::string& size,
                               const io::SafetensorsFile& file) {
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
  return config;
}

}  // namespace

ModelFiles read_model_files(const std::string& path) {
  GAZE_CHECK(io::exists(path), "load_model", path, ": no such file or folder");
  const std::string weights = fs::is_directory(path) ? path + "/model.safetensors" : path;
  const io::SafetensorsFile file(weights);
  const auto field = [&](const char* key) {
    const auto found = file.metadata().find(key);
    GAZE_CHECK(found != file.metadata().end(), "load_model", weights, ": metadata has no ", key);
    return found->second;
  };
  const std::string words = tokenizer_file(weights);
  ModelFiles out{text::Tokenizer::load(words), {}, {}, weights, words};
  out.name = field("model");
  out.config = named_config(weights, out.name, file);
  out.config.vocabulary = out.tokenizer.vocab_size();
  out.prompts.problem = field("prompt");
  return out;
}

template std::unique_ptr<TrainedModel<Cpu>> load_model<Cpu>(const std::string&);

}  // namespace gaze::phyx
