// SPDX-License-Identifier: MIT
// A trained model from its files: weights, their preset and prompt, and the tokeniser beside them.
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

/// What the files say of a model before its weights are read.
struct ModelFiles {
  text::Tokenizer tokenizer;
  models::VlmConfig config;
  PromptTemplate prompts;
  std::string weights_file, tokenizer_file;
};

/// `path` is a .safetensors file, or a folder with model.safetensors in it. tokenizer.json is
/// looked for there and in the folders above, where an ablation keeps it. An Error names the file
/// that is missing, or what its metadata lacks.
ModelFiles read_model_files(const std::string& path);

/// The model of these files with its weights, on a device.
template <class Device = Cpu>
std::unique_ptr<TrainedModel<Device>> load_model(const std::string& path);

extern template std::unique_ptr<TrainedModel<Cpu>> load_model<Cpu>(const std::string&);

}  // namespace gaze::phyx
