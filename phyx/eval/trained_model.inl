// SPDX-License-Identifier: MIT
// Loading a model to any device.
#pragma once
#include <utility>

#include "gaze/train/checkpoint.hpp"
#include "phyx/eval/trained_model.hpp"

namespace gaze::phyx {

template <class Device>
std::unique_ptr<TrainedModel<Device>> load_model(const std::string& path) {
  ModelFiles files = read_model_files(path);
  auto out = std::make_unique<TrainedModel<Device>>(
      TrainedModel<Device>{std::move(files.tokenizer), nullptr, nullptr,
                           std::move(files.weights_file), std::move(files.tokenizer_file)});
  out->model.reset(
      new Model<Device>(Model<Device>::for_file(files.config, out->tokenizer.image(), false)));
  read_weights(out->weights_file, out->model->parameters());
  out->maker = std::make_unique<ExampleMaker>(out->tokenizer, files.config, files.prompts);
  return out;
}

}  // namespace gaze::phyx
