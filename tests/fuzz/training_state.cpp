// SPDX-License-Identifier: MIT
// Fuzz target: a file as the weights of a model of two small parameters, which change all or not at
// all, and as the state of its training.
#include <string>
#include <string_view>
#include <vector>

#include "gaze/cpu/kernels.hpp"
#include "gaze/nn/parameters.hpp"
#include "gaze/optim/adamw.hpp"
#include "gaze/train/checkpoint.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_training_state {

using namespace gaze;

struct Model {
  Parameters<float> parameters;

  Model() {
    parameters.add("w", {2, 3}, Init::zeros(), "first");
    parameters.add("v", {4}, Init::zeros(), "second");
    parameters.allocate(5);
  }
  std::vector<float> values() {
    std::vector<float> out;
    for (const auto& p : parameters.all())
      for (const float x : p.value.to_vector()) out.push_back(x);
    return out;
  }
};

void run(std::string_view input) {
  static const fuzz::Folder folder;
  const std::string path = folder.put("state.safetensors", input);
  Model model;
  try {
    load_weights(path, model.parameters);
  } catch (const Error&) {
    fuzz::require(model.values() == std::vector<float>(10), "weights of a refused file were read");
  }
  AdamW<float> optimiser(model.parameters, {});
  load_state(io::SafetensorsFile(path), model.parameters, optimiser);
  fuzz::require(optimiser.steps() >= 0, "a negative number of steps");
}

const fuzz::Target target("training_state", run);

}  // namespace fuzz_training_state
