// SPDX-License-Identifier: MIT
// Sampling options of commands that generate answers.
#pragma once
#include <CLI/CLI.hpp>

#include "gaze/generate/sampling.hpp"

namespace gaze::phyx::cli {

void add_sampling(CLI::App& app, SamplingSettings& s);

}  // namespace gaze::phyx::cli
