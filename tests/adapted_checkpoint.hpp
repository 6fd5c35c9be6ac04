// SPDX-License-Identifier: MIT
// The tiny published checkpoints with LoRA adapters (tests/golden/make_adapter_golden.py).
#pragma once
#include <array>
#include <string>
#include <utility>

#include "gaze/io/weight_files.hpp"
#include "models/hf/adapter.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/load.hpp"
#include "models/vlm.hpp"
#include "tests/data.hpp"

namespace gaze::test {

struct GoldenAdapter {
  std::string name, base;

  std::string folder() const { return golden_path("adapters/" + name); }
  std::string checkpoint() const { return golden_path("hf/" + base); }
};

/// One of each family, and with a head of its own.
inline const std::array<GoldenAdapter, 4> golden_adapters = {{{"tied", "llama/tied"},
                                                              {"untied", "llama/untied"},
                                                              {"idefics3", "idefics3"},
                                                              {"granite", "granite"}}};

/// A frozen checkpoint with adapters.
struct AdaptedModel {
  models::hf::Checkpoint checkpoint;
  models::hf::Adapter adapter;
  models::Vlm<float> model;

  /// Those of a folder in PEFT's format.
  AdaptedModel(const GoldenAdapter& g, const std::string& folder, bool bf16 = false)
      : AdaptedModel(g, bf16, [&](const auto& weights) {
          return models::hf::open_adapter(folder, weights);
        }) {
    models::hf::load_adapter(adapter, parameters());
  }
  explicit AdaptedModel(const GoldenAdapter& g, bool bf16 = false)
      : AdaptedModel(g, g.folder(), bf16) {}

  /// New ones.
  AdaptedModel(const GoldenAdapter& g, const models::hf::LoraSettings& s)
      : AdaptedModel(g, false,
                     [&](const auto& weights) { return models::hf::new_adapter(weights, s); }) {
    parameters().initialise(lora_part, 1);
  }

  Parameters<float>& parameters() { return model.parameters(); }

 private:
  static models::hf::Checkpoint opened(const GoldenAdapter& g, bool bf16) {
    auto out = models::hf::open_checkpoint(g.checkpoint());
    out.model.bf16 = bf16;
    return out;
  }

  template <class Make>
  AdaptedModel(const GoldenAdapter& g, bool bf16, const Make& make)
      : checkpoint(opened(g, bf16)),
        adapter(make(checkpoint.weights)),
        model(models::Vlm<float>::for_file(checkpoint.model, checkpoint.image_token, false, false,
                                           adapter.plan)) {
    models::hf::load_weights(io::WeightFiles(g.checkpoint()), checkpoint.weights, parameters());
  }
};

}  // namespace gaze::test
