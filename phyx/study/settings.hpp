// SPDX-License-Identifier: MIT
// Settings of an ablation: presets, and their form in config.json.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/rl/grpo_settings.hpp"
#include "phyx/eval/evaluation_settings.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/own_data.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/warm_start_settings.hpp"

namespace gaze::phyx {

struct AblationSettings {
  std::string preset = "quick", model = "tiny", variant = "grpo", split = "test",
              precision = "float32";  // or bf16 for the operands of products
  std::vector<std::int64_t> seeds = {0};
  std::vector<std::string> only;  // conditions; empty: all
  std::uint64_t data_seed = 1;
  std::size_t train_scenes = 14000, test_known = 420, test_new = 132;  // each as MC and as OE
  WarmStartSettings warm;
  rl::GrpoSettings grpo;
  Index grpo_steps = 100;
  double grpo_rate = 1e-4, format_weight = 0.5;
  std::vector<std::string> grpo_set;  // "clip_high=0.3": overrides preset and variant
  RewardOptions reward_options;       // of the rewards that do not have their defaults
  EvaluationSettings evaluation;
  Index max_tokens = 64, checkpoint_every = 50;
  bool tensorboard = false;          // also write event files; does not affect results
  Index validate_every = 25;         // GRPO steps between validations; 0: never
  std::size_t validate_scenes = 84;  // of the split val, each as MC and as OE
  PromptTemplate prompts;
  OwnDataSettings own;
};

/// The preset of this name: smoke (the whole pipeline in under a minute, for tests), quick (all
/// conditions, one seed), full (five seeds). Throws Error for another name.
AblationSettings ablation_preset(const std::string& name);

/// Sets values that depend on other settings, and throws Error for invalid settings.
void settle(AblationSettings& s);

/// The settings that determine the results, for config.json; a resumed run must match them.
io::OrderedJson settings_json(const AblationSettings& s);

}  // namespace gaze::phyx
