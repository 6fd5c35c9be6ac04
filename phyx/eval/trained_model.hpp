// SPDX-License-Identifier: MIT
// Loading a trained model (models/trained_model.hpp) with what makes examples for it.
#pragma once
#include <memory>
#include <string>

#include "gaze/text/tokenizer.hpp"
#include "models/trained_model.hpp"
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

using models::weights_file_of;

/// As models::read_trained_files().
ModelFiles read_model_files(const std::string& path);

/// Loads the model with its weights, frozen, to a device.
template <class Device = Cpu>
std::unique_ptr<TrainedModel<Device>> load_model(const std::string& path);

extern template std::unique_ptr<TrainedModel<Cpu>> load_model<Cpu>(const std::string&);

}  // namespace gaze::phyx
