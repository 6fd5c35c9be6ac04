// SPDX-License-Identifier: MIT
// The work of the commands that train, compiled apart from their options.
#pragma once
#include <string>

namespace gaze::phyx {

struct AblationSettings;

namespace cli {

/// Runs an ablation on a device (phyx/cli/device.hpp), or goes on with it; `line` is the whole
/// command line. Prints what it wrote.
void run_ablation(const AblationSettings& settings, const std::string& out,
                  const std::string& device, bool resume, const std::string& line);

}  // namespace cli

}  // namespace gaze::phyx
