// SPDX-License-Identifier: MIT
// Implementation of the training commands, compiled separately from their options.
#pragma once
#include <string>

namespace gaze::phyx {

struct Study;

namespace cli {

/// Runs or resumes a study on a device (phyx/cli/device.hpp) and prints the output paths; `line`:
/// the whole command line.
void run_ablation(const Study& study, const std::string& out, const std::string& device,
                  bool resume, const std::string& line);

/// Prints what the study would run, with forecasts for the device.
void check_ablation(const Study& study, const std::string& device);

}  // namespace cli

}  // namespace gaze::phyx
