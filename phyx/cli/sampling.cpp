// SPDX-License-Identifier: MIT
// Sampling options with their ranges.
#include "phyx/cli/sampling.hpp"

#include "phyx/cli/command.hpp"

namespace gaze::phyx::cli {

void add_sampling(CLI::App& app, SamplingSettings& s) {
  app.add_option("--temperature", s.temperature)->check(above_zero)->capture_default_str();
  app.add_option("--top-k", s.top_k, "0: all")->transform(whole(0, largest));
  app.add_option("--top-p", s.top_p)->check(CLI::Range(1e-6, 1.0))->capture_default_str();
  app.add_option("--max-tokens", s.max_tokens)->transform(whole(1, 4096))->capture_default_str();
}

}  // namespace gaze::phyx::cli
