// SPDX-License-Identifier: MIT
// Options for published checkpoints, shared by the commands that load a model.
#pragma once
#include <CLI/CLI.hpp>

#include "phyx/eval/published_model.hpp"

namespace gaze::phyx::cli {

/// --precision, --prompt-template, --split-images.
void add_published(CLI::App& app, PublishedSettings& s);

}  // namespace gaze::phyx::cli
