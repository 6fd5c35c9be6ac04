// SPDX-License-Identifier: MIT
// Reading a model's files; load_model() on the CPU.
#include "phyx/eval/trained_model.hpp"

#include <utility>

#include "gaze/cpu/kernels.hpp"
#include "phyx/eval/trained_model.inl"

namespace gaze::phyx {

ModelFiles read_model_files(const std::string& path) {
  models::TrainedFiles files = models::read_trained_files(path);
  PromptTemplate prompts;
  prompts.problem = std::move(files.prompt);
  return {std::move(files.tokenizer), files.config, std::move(prompts),
          std::move(files.weights_file), std::move(files.tokenizer_file)};
}

template std::unique_ptr<TrainedModel<Cpu>> load_model<Cpu>(const std::string&);

}  // namespace gaze::phyx
