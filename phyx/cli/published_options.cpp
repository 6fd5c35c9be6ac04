// SPDX-License-Identifier: MIT
// Options for published checkpoints.
#include "phyx/cli/published_options.hpp"

namespace gaze::phyx::cli {

void add_published(CLI::App& app, PublishedSettings& s) {
  app.add_option("--precision", s.precision,
                 "float32 (the default), or bf16 for weights and products; of a published "
                 "checkpoint")
      ->check(CLI::IsMember({"float32", "bf16"}));
  app.add_option("--prompt-template", s.prompt_template,
                 "file with {question}, instead of a published checkpoint's chat template")
      ->check(CLI::ExistingFile);
  add_adapter(app, s.adapter, &s.merge_adapter);
  app.add_flag("--split-images,!--no-split-images", s.split_images,
               "cut large pictures into tiles (the default), or show a published checkpoint each "
               "as one tile");
  add_logits_scaling(app, s.logits_scaling);
}

void add_logits_scaling(CLI::App& app, bool& divide) {
  app.add_flag("--logits-scaling,!--no-logits-scaling", divide,
               "divide Granite's logits by logits_scaling (the default), or not, as transformers "
               "from 4.52 on");
}

CLI::Option* add_adapter(CLI::App& app, std::string& folder, bool* merge) {
  auto* const option = app.add_option("--adapter", folder,
                                      "folder of LoRA adapters in PEFT's format, for a published "
                                      "checkpoint")
                           ->check(CLI::ExistingDirectory);
  if (merge)
    app.add_flag("--merge-adapter", *merge,
                 "add the adapters to the weights: answers come faster and differ by rounding")
        ->needs(option);
  return option;
}

}  // namespace gaze::phyx::cli
