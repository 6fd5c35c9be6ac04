// SPDX-License-Identifier: MIT
// Loading a trained model: weights whose metadata describe it (models/model_metadata.hpp), and the
// tokeniser.
#pragma once
#include <memory>
#include <string>

#include "gaze/text/tokenizer.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

template <class Device>
struct TrainedModel {
  text::Tokenizer tokenizer;
  std::unique_ptr<Model<Device>> model;
  std::unique_ptr<ExampleMaker> maker;
  std::string weights_file, tokenizer_file;
};

/// Everything in the model's files except the weights.
struct ModelFiles {
  text::Tokenizer tokenizer;
  models::VlmConfig config;
  PromptTemplate prompts;
  std::string weights_file, tokenizer_file;
};

/// The file of weights that `path` means: itself, or model.safetensors in the folder `path`. Throws
/// Error if there is nothing at `path`.
std::string weights_file_of(const std::string& path);

/// `path`: a .safetensors file, or a folder with model.safetensors. tokenizer.json is searched
/// there and in the folders above, where an ablation stores it. Throws Error for missing files and
/// metadata, for a prompt that check_prompt_template() refuses, and where weights, metadata and
/// tokeniser do not fit each other.
ModelFiles read_model_files(const std::string& path);

/// Loads the model with its weights, frozen, to a device.
template <class Device = Cpu>
std::unique_ptr<TrainedModel<Device>> load_model(const std::string& path);

extern template std::unique_ptr<TrainedModel<Cpu>> load_model<Cpu>(const std::string&);

}  // namespace gaze::phyx
