// SPDX-License-Identifier: MIT
// A translation unit that uses much of the library: a training job with GRPO, checkpoints and a
// tokeniser. library_symbols.sh checks the symbols of its object file.
#include "gaze/gaze.hpp"
#include "gaze/io/safetensors.hpp"
#include "gaze/rl/grpo.hpp"
#include "gaze/text/tokenizer.hpp"
#include "gaze/train/loop.hpp"
#include "models/memory.hpp"
#include "models/vlm.hpp"

namespace {
using Policy = gaze::models::Vlm<float>;
}

template class gaze::models::Vlm<float>;
template class gaze::Trainer<float>;
template class gaze::Tensor<double, gaze::Cpu>;

/// One step of everything; never called.
gaze::Metrics everything(const gaze::rl::Task<Policy>& task, const std::string& folder) {
  auto config = gaze::models::preset("nano");
  config.vocabulary = gaze::text::Tokenizer::load(folder + "/tokenizer.json").vocab_size();
  Policy policy(config, 5, 1);
  gaze::RunFolder run;
  run.path = folder;
  gaze::Trainer<float> trainer(policy.parameters(), run);
  gaze::Stage stage;
  stage.steps = 1;
  const Policy* none = nullptr;
  gaze::Metrics last;
  trainer.run(stage, [&](gaze::Index step, const gaze::Update& update) {
    return last = gaze::rl::grpo_step(policy, none, {}, task, 1, step, gaze::models::Watch::marks,
                                      update);
  });
  gaze::load_weights(folder + "/model.safetensors", policy.parameters());
  gaze::merge_lora(policy.parameters());
  const auto x = gaze::Tensor<double>::zeros({2, 2});
  gaze::backward(gaze::sum(gaze::einsum("ij,jk->ik", std::vector{x, gaze::exp(x)})));
  return last;
}
