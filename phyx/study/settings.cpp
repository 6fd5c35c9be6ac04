// SPDX-License-Identifier: MIT
// Values of the presets, checks, and JSON.
#include "phyx/study/settings.hpp"

#include <filesystem>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/rl/options.hpp"
#include "gaze/rl/variants.hpp"
#include "models/presets.hpp"
#include "phyx/study/conditions.hpp"

namespace gaze::phyx {

AblationSettings ablation_preset(const std::string& name) {
  AblationSettings s;
  s.preset = name;
  if (name == "smoke") {
    s.model = "nano";
    s.train_scenes = 168;
    s.test_known = s.test_new = 28;
    s.warm.letter_steps = s.warm.vision_steps = s.warm.caption_steps = 8;
    s.warm.clean_steps = 16;
    s.warm.mixed_steps = 8;
    s.warm.batch = 8;
    s.warm.caption_picks = 4;
    s.grpo.prompts = s.grpo.group = 4;
    s.grpo_steps = 3;
    s.grpo.kl_every = s.validate_every = 1;
    s.validate_scenes = 14;
    s.evaluation.samples = 2;
    s.max_tokens = 24;
    s.checkpoint_every = 4;
    return s;
  }
  if (name == "full") s.seeds = {0, 1, 2, 3, 4};
  GAZE_CHECK(name == "quick" || name == "full", "ablate", "no preset named ", name,
             "; there are smoke, quick, full");
  return s;
}

void settle(AblationSettings& s) {
  s.grpo.apply(rl::variant(s.variant));
  s.grpo.sampling.max_tokens = s.evaluation.sampling.max_tokens = s.max_tokens;
  s.grpo.loss.max_length = static_cast<double>(s.max_tokens);
  for (const auto& assignment : s.grpo_set) rl::set_option(s.grpo, assignment);
  s.grpo.check();
  models::preset(s.model);
  for (const auto& name : s.only) condition(name);
  for (const auto& [name, options] : s.reward_options) make_reward(name, options);
  GAZE_CHECK(s.split == "test" || s.split == "val", "ablate", "split must be test or val, got ",
             s.split);
  GAZE_CHECK(s.precision == "float32" || s.precision == "bf16", "ablate",
             "precision must be float32 or bf16, got ", s.precision);
  GAZE_CHECK(s.warm.corruption.share >= 0 && s.warm.corruption.share <= 1, "ablate",
             "corruption must be between 0 and 1, got ", s.warm.corruption.share);
  GAZE_CHECK(s.validate_every >= 0, "ablate", "validate_every must be at least 0, got ",
             s.validate_every);
  GAZE_CHECK(s.validate_every == 0 || s.validate_scenes > 0, "ablate",
             "validate_scenes must be above 0 with validate_every ", s.validate_every);
  GAZE_CHECK(!s.seeds.empty(), "ablate", "no seeds");
  settle_own_data(s);
}

io::OrderedJson settings_json(const AblationSettings& s) {
  io::OrderedJson j;
  j["preset"] = s.preset;
  j["model"] = s.model;
  j["precision"] = s.precision;
  j["seeds"] = s.seeds;
  j["only"] = s.only;
  j["split"] = s.split;
  j["corruption"] = s.warm.corruption.share;
  if (s.own.used())
    j["data"] = {{"own", printable(std::filesystem::path(s.own.file).filename().string())},
                 {"hold_out", s.own.hold_out},
                 {"hold_out_seed", s.own.hold_out_seed},
                 {"start", s.own.start.empty() ? "random weights" : "a trained model"}};
  else
    j["data"] = {{"seed", s.data_seed},
                 {"train_scenes", s.train_scenes},
                 {"test_known", s.test_known},
                 {"test_new", s.test_new}};
  j["warm_start"] = {{"letter_steps", s.warm.letter_steps},
                     {"vision_steps", s.warm.vision_steps},
                     {"caption_steps", s.warm.caption_steps},
                     {"clean_steps", s.warm.clean_steps},
                     {"mixed_steps", s.warm.mixed_steps},
                     {"batch", s.warm.batch},
                     {"rate", s.warm.rate},
                     {"captions", s.warm.captions},
                     {"picks", s.warm.picks},
                     {"caption_picks", s.warm.caption_picks},
                     {"letter_weight", s.warm.letter_weight},
                     {"letters_stage_weight", s.warm.letters_stage_weight}};
  j["grpo"] = {{"variant", s.variant},
               {"steps", s.grpo_steps},
               {"rate", s.grpo_rate},
               {"format_weight", s.format_weight}};
  j["grpo"].update(rl::options_json(s.grpo));
  j["validation"] = {{"every", s.validate_every}, {"scenes", s.validate_scenes}};
  j["reward_options"] = s.reward_options;
  j["evaluation"] = {{"samples", s.evaluation.samples}, {"max_tokens", s.max_tokens}};
  j["prompts"] = {{"problem", s.prompts.problem},
                  {"caption", s.prompts.caption},
                  {"letters", s.prompts.letters}};
  return j;
}

}  // namespace gaze::phyx
