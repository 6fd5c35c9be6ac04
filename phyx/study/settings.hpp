// SPDX-License-Identifier: MIT
// Settings of an ablation, and their form in config.json.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/rl/grpo_settings.hpp"
#include "models/hf/adapter.hpp"
#include "phyx/eval/evaluation_settings.hpp"
#include "phyx/eval/published_text.hpp"
#include "phyx/field.hpp"
#include "phyx/results/claims.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/study/own_data.hpp"
#include "phyx/study/setting_error.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/warm_start_settings.hpp"

namespace gaze::phyx {

/// Most sampled answers per test problem.
inline constexpr Index most_samples = 1024;

/// Further supervised training from the warm start: conditions of method sft and rft.
struct SftSettings {
  Index steps = 0;    // 0: the arithmetic of a GRPO condition
  std::string match;  // this condition; "": the first one of method grpo
  Index probe = 4;    // steps of each kind that measure the arithmetic
  double rate = 6e-4;
  bool clean = false;  // sft: clean responses only, instead of the warm start's last mixture
  OptimiserSettings optimiser;
};

/// The model's own samples that a condition of method rft is trained on.
struct RftSettings {
  Index prompts = 0;  // problems sampled; 0: as many as GRPO prompts in all its steps
  Index samples = 0;  // answers per problem; 0: GRPO's group
  Index keep = 4;     // different right answers kept per problem, at most
  double letter_weight = 1;
};

/// How a published checkpoint is asked and trained.
struct CheckpointSettings {
  /// Follows the bare question. If it and `prompt` are empty, PhyX's complete prompt is asked.
  std::string instruction =
      "\nThink in <think> ... </think>, then write only the answer in <answer> ... </answer>.";
  std::string prompt;  // with {question} and control tokens, instead of the chat template
  bool split_images = true;
  bool recompute = false;  // activations of blocks in backward, see Vlm::checkpoint_blocks()
};

struct AblationSettings {
  /// `model`: a preset, or the folder of a published checkpoint, of which adapters are trained.
  std::string preset, model = "tiny", variant = "grpo", split = "test",
                      precision = "float32";  // or bf16 for the operands of products
  std::vector<std::int64_t> seeds = {0};
  std::vector<std::string> only;  // conditions; empty: all
  std::uint64_t data_seed = 1, test_seed = 1001;
  std::string suite = "pictures";  // or words: word problems without pictures
  bool cues = false;               // questions print text cues (SuiteOptions::cue)
  double cue_strength = 0;  // share of right cues in supervised training; elsewhere by chance
  std::vector<std::string> sft_templates, rl_templates;  // empty: the trained ones; those of sft
  double rl_share = 0;  // share of the supervised problems that are of rl_templates
  std::size_t train_scenes = 14000, test_known = 420, test_new = 132;  // each as MC and as OE
  CheckpointSettings checkpoint;
  models::hf::LoraSettings lora;
  WarmStartSettings warm;
  SftSettings sft;
  RftSettings rft;
  rl::GrpoSettings grpo;
  Index grpo_steps = 100;
  double grpo_rate = 1e-4;
  OptimiserSettings grpo_optimiser{.adamw = {.beta2 = 0.95}, .warmup = 10};
  std::vector<std::string> grpo_set;  // "clip_high=0.3": overrides preset and variant
  RewardOptions reward_options;       // for all conditions, by reward
  EvaluationSettings evaluation;
  std::vector<int> pass_at;  // k of pass@k; empty: 2, 4, 8, ... and the samples
  Index max_tokens = 64, checkpoint_every = 50;
  bool tensorboard = false;          // also write event files; does not affect results
  Index validate_every = 25;         // GRPO steps between validations; 0: never
  std::size_t validate_scenes = 84;  // of the split val, each as MC and as OE
  Index validate_samples = 0;        // sampled answers per validation problem; 0: greedy ones alone
  PromptTemplate prompts;
  OwnDataSettings own;
  std::vector<Condition> conditions;
  std::vector<Claim> claims;
  io::OrderedJson grid = io::OrderedJson::object();  // this run's values of the study's grid
};

/// The built-in study `rewards` with one of its presets: smoke (the whole pipeline in about a
/// minute, for tests), quick (one seed), full (five seeds). Throws Error for another name.
AblationSettings ablation_preset(const std::string& name);

/// Every setting with a single value, by its name in study files ("warm_start.corruption.share").
const Fields<AblationSettings>& study_fields();

/// The condition of this name; an unknown name is an Error that lists the known ones.
const Condition& condition(const AblationSettings& s, const std::string& name);

/// The name of the condition that is the warm start: the first one of method none; "" if there is
/// none.
std::string start_name(const AblationSettings& s);

/// Whether a run of these settings includes the condition.
bool wanted(const AblationSettings& s, const Condition& c);

/// Whether rft and grpo have training problems of their own: other templates, or other cues.
bool has_rl_problems(const AblationSettings& s);

/// The settings of one condition: those of the study with the condition's changes.
AblationSettings settings_of(const AblationSettings& s, const Condition& c);

/// Whether `model` is the folder of a published checkpoint.
bool from_checkpoint(const AblationSettings& s);

/// How the checkpoint is loaded, without adapters.
PublishedSettings published_settings(const AblationSettings& s);

/// The sizes and precision of the run's model, without its vocabulary: those of `own.start`, or of
/// the preset `model`.
models::VlmConfig model_config(const AblationSettings& s);

/// The GRPO condition whose arithmetic the condition's supervised steps match. Throws Error if
/// there is none.
const Condition& matched_condition(const AblationSettings& s, const Condition& c);

/// Sets values that depend on other settings (sft.match becomes the name of the condition), and
/// throws SettingError for invalid settings.
void settle(AblationSettings& s);

/// The settings that determine the results, for config.json; a resumed run must match them.
io::OrderedJson settings_json(const AblationSettings& s);

/// The conditions of config.json and study files, by name.
io::OrderedJson conditions_json(const AblationSettings& s);

}  // namespace gaze::phyx
