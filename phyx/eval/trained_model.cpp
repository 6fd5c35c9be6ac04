// SPDX-License-Identifier: MIT
// Reading a model's files; load_model() on the CPU.
#include "phyx/eval/trained_model.hpp"

#include <filesystem>
#include <variant>

#include "gaze/core/error.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/safetensors.hpp"
#include "models/memory.hpp"
#include "models/model_metadata.hpp"
#include "phyx/eval/trained_model.inl"
#include "phyx/train/prompt_template.hpp"

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

}  // namespace

std::string weights_file_of(const std::string& path) {
  GAZE_CHECK(io::exists(path), "load_model", path, ": no such file or folder");
  return fs::is_directory(path) ? path + "/model.safetensors" : path;
}

ModelFiles read_model_files(const std::string& path) {
  const std::string weights = weights_file_of(path);
  const io::SafetensorsFile file(weights);
  const models::ModelMetadata saved = models::read_model_metadata(file);
  const auto* config = std::get_if<models::VlmConfig>(&saved.config);
  GAZE_CHECK(config, "load_model", weights,
             ": a model for text alone; only gaze info and gaze logits read these");
  const std::string words = tokenizer_file(weights);
  ModelFiles out{text::Tokenizer::load(words), *config, {}, weights, words};
  const Index tokens = out.tokenizer.vocab_size();
  GAZE_CHECK(config->vocabulary == 0 || config->vocabulary == tokens, "load_model", weights,
             ": a model of ", config->vocabulary, " tokens, but ", words, " has ", tokens);
  out.config.vocabulary = tokens;
  check_prompt_template(saved.prompt, weights + ", prompt");
  out.prompts.problem = saved.prompt;
  models::DeclaredVlm declared(out.config);
  check_weights(file, declared.all);
  return out;
}

template std::unique_ptr<TrainedModel<Cpu>> load_model<Cpu>(const std::string&);

}  // namespace gaze::phyx
