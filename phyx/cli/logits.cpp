// SPDX-License-Identifier: MIT
// gaze logits.
#include "phyx/eval/logits.hpp"

#include "phyx/cli/command.hpp"
#include "phyx/cli/device.hpp"
#include "phyx/cli/published_options.hpp"
#ifdef GAZE_WITH_CUDA
#include "phyx/eval/logits.inl"
#endif

namespace gaze::phyx::cli {

namespace {

struct LogitsOptions {
  LogitsSettings s;
  std::string device = "cpu";

  void add(CLI::App& app) {
    app.add_option(
           "--model", s.model,
           "folder of a published checkpoint, or folder or .safetensors file of a trained model")
        ->required()
        ->check(CLI::ExistingPath);
    app.add_option(
           "--inputs", s.inputs,
           "safetensors file with input_ids [B, T] and, if wanted, attention_mask, labels, and "
           "for pictures pixels [B, S, S, 3] (of a trained model) or pixel_values and image_sizes")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--out", s.out, "safetensors file to write: logits, loss, logp, grad.NAME")
        ->required();
    app.add_option("--precision", s.precision,
                   "of products; default: that of a trained model, float32 of a checkpoint")
        ->check(CLI::IsMember({"float32", "bf16"}));
    add_adapter(app, s.adapter, &s.merge_adapter);
    app.add_flag("--gradients", s.gradients,
                 "also write the gradients of the loss; with --adapter those of the adapters");
    add_logits_scaling(app, s.logits_scaling);
    add_device(app, device);
  }
  void run() {
    on_device(device, [&](auto chosen) { write_logits<decltype(chosen)>(s); });
  }
};

}  // namespace

void add_logits(CLI::App& app) {
  add_command<LogitsOptions>(app, "logits", "logits and gradients of a model");
}

}  // namespace gaze::phyx::cli
