// SPDX-License-Identifier: MIT
// The settings of an ablation: presets as data, and their form in config.json.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/rl/grpo_settings.hpp"
#include "phyx/eval/evaluation_settings.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/warm_start_settings.hpp"

namespace gaze::phyx {

struct AblationSettings {
  std::string preset = "quick", model = "tiny", variant = "grpo", split = "test",
              precision = "float32";  // or bf16: operands of products
  std::vector<std::int64_t> seeds = {0};
  std::vector<std::string> only;  // conditions; empty: all
  std::uint64_t data_seed = 1;
  std::size_t train_scenes = 14000, test_known = 420, test_new = 132;  // each as MC and as OE
  WarmStartSettings warm;
  rl::GrpoSettings grpo;
  Index grpo_steps = 100;
  double grpo_rate = 1e-4, format_weight = 0.5;
  std::vector<std::string> grpo_set;  // "clip_high=0.3": stands over preset and variant
  EvaluationSettings evaluation;
  Index max_tokens = 64, checkpoint_every = 50;
  PromptTemplate prompts;
};

/// Settings of a named preset: smoke (the whole pipeline in under a minute, for tests), quick (all
/// conditions, one seed), full (five seeds). An Error where there is none of this name.
AblationSettings ablation_preset(const std::string& name);

/// Puts what depends on other settings in place, and refuses what cannot be.
void settle(AblationSettings& s);

/// What decides the results, for config.json; a resumed run must have the same.
io::OrderedJson settings_json(const AblationSettings& s);

}  // namespace gaze::phyx
