// SPDX-License-Identifier: MIT
// Options for published checkpoints, shared by the commands that load a model.
#pragma once
#include <CLI/CLI.hpp>

#include "phyx/eval/published_model.hpp"

namespace gaze::phyx::cli {

/// --precision, --prompt-template, --split-images, --logits-scaling, --adapter, --merge-adapter.
void add_published(CLI::App& app, PublishedSettings& s);

/// --adapter and, unless it is null, --merge-adapter.
CLI::Option* add_adapter(CLI::App& app, std::string& folder, bool* merge);

/// --logits-scaling alone.
void add_logits_scaling(CLI::App& app, bool& divide);

}  // namespace gaze::phyx::cli
