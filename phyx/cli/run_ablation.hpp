// SPDX-License-Identifier: MIT
// Implementation of the training commands, compiled separately from their options.
#pragma once
#include <string>

namespace gaze::phyx {

struct AblationSettings;

namespace cli {

/// Runs or resumes an ablation on a device (phyx/cli/device.hpp) and prints the output paths;
/// `line`: the whole command line.
void run_ablation(const AblationSettings& settings, const std::string& out,
                  const std::string& device, bool resume, const std::string& line);

}  // namespace cli

}  // namespace gaze::phyx
