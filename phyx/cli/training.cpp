// SPDX-License-Identifier: MIT
// gaze ablate, sft, grpo.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gaze/rl/options.hpp"
#include "gaze/rl/variants.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/own_data_options.hpp"
#include "phyx/cli/run_ablation.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::phyx::cli {

namespace {

std::string variant_names() {
  std::string out;
  for (const auto& v : rl::variants) out += (out.empty() ? "" : ", ") + std::string(v.name);
  return out;
}

/// Settings for the help of --set: "kl=0  weight of the KL term; 0: no reference".
std::string setting_list() {
  std::string out = "Settings for --set NAME=VALUE, with their defaults before a variant:";
  const rl::GrpoSettings defaults;
  for (const auto& o : rl::grpo_options()) {
    const auto value = o.get(defaults);
    out += "\n  " + o.name + "=" + (value.is_string() ? value.get<std::string>() : value.dump()) +
           "  " + o.meaning;
    if (o.choices.empty()) continue;
    out += ":";
    for (const auto& c : o.choices) out += " " + c;
  }
  return out;
}

/// Options of the training commands; unset ones keep the value of the preset.
struct TrainOptions {
  std::string preset = "quick", out, model, variant, split, precision, device = "cpu";
  std::vector<std::string> only, assignments, shorts, reward_options;
  std::optional<std::int64_t> seed, seeds;
  std::optional<double> corruption, rate;
  std::optional<Index> steps, samples, checkpoint_every, validate_every;
  bool resume = false, tensorboard = false;
  bool supervised = false;  // the command is sft
  OwnDataOptions own;

  void add(CLI::App& app) {
    app.add_option("--preset", preset, "smoke (under a minute), quick (one seed), full (five)")
        ->check(CLI::IsMember({"smoke", "quick", "full"}))
        ->capture_default_str();
    app.add_option("--out", out, "output folder of the run")->required();
    app.add_option("--model", model, "model size: nano, tiny, small, base, large");
    app.add_option("--precision", precision,
                   "float32, or bf16 in products with weights and, on cuda, in attention")
        ->check(CLI::IsMember({"float32", "bf16"}));
    app.add_option("--seed", seed, "one seed")->transform(whole(0, largest));
    app.add_option("--corruption", corruption, "share of corrupted responses in the warm start")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--split", split, "problems to evaluate: test, or val while choosing settings")
        ->check(CLI::IsMember({"test", "val"}));
    app.add_option("--samples", samples, "sampled answers per test problem")
        ->transform(whole(1, 64));
    app.add_option("--checkpoint-every", checkpoint_every, "steps between saved states")
        ->transform(whole(1, largest));
    app.add_flag("--resume", resume, "resume the run in --out");
    app.add_flag("--tensorboard", tensorboard,
                 "also write the metrics of each training as event files for TensorBoard");
    add_device(app, device);
    own.add(app);
  }

  void add_grpo(CLI::App& app) {
    app.add_option("--variant", variant, variant_names());
    app.add_option("--steps", steps, "GRPO steps")->transform(whole(1, largest));
    app.add_option("--rate", rate, "GRPO's learning rate")->check(above_zero);
    app.add_option("--validate-every", validate_every,
                   "GRPO steps between evaluations on validation problems; 0: never")
        ->transform(whole(0, largest));
    add_short(app, "--group", "group", whole(2, 256));
    add_short(app, "--prompts", "prompts", whole(1, 4096));
    add_short(app, "--updates", "updates", whole(1, 64));
    add_short(app, "--kl", "kl", not_negative);
    add_short(app, "--clip-low", "clip_low", above_zero);
    add_short(app, "--clip-high", "clip_high", above_zero);
    add_short(app, "--temperature", "temperature", above_zero);
    app.add_option("--set", assignments, "any GRPO setting, see below; may be repeated")
        ->type_name("NAME=VALUE")
        ->type_size(1)
        ->allow_extra_args(false);
    app.footer(setting_list());
  }

  /// `--kl 0.1` is `--set kl=0.1`.
  void add_short(CLI::App& app, const char* flag, const std::string& name,
                 const CLI::Validator& check) {
    const auto& all = rl::grpo_options();
    const auto option =
        std::find_if(all.begin(), all.end(), [&](const auto& o) { return o.name == name; });
    app.add_option_function<std::string>(
           flag, [this, name](const std::string& value) { shorts.push_back(name + "=" + value); },
           option->meaning)
        ->transform(check);  // may change the text, see whole()
  }

  AblationSettings settings() const {
    AblationSettings s = ablation_preset(preset);
    if (!model.empty()) s.model = model;
    if (!precision.empty()) s.precision = precision;
    if (!variant.empty()) s.variant = variant;
    if (!split.empty()) s.split = split;
    s.only = only;
    s.tensorboard = tensorboard;
    if (seeds) {
      s.seeds.clear();
      for (std::int64_t i = 0; i < *seeds; ++i) s.seeds.push_back(i);
    }
    if (seed) s.seeds = {*seed};
    const auto set = [](const auto& from, auto& to) {
      if (from) to = *from;
    };
    set(corruption, s.warm.corruption.share);
    set(samples, s.evaluation.samples);
    set(checkpoint_every, s.checkpoint_every);
    own.apply(s, supervised);
    set(steps, s.grpo_steps);
    set(rate, s.grpo_rate);
    set(validate_every, s.validate_every);
    s.grpo_set = shorts;
    s.grpo_set.insert(s.grpo_set.end(), assignments.begin(), assignments.end());
    for (const auto& assignment : reward_options) set_reward_option(s.reward_options, assignment);
    return s;
  }

  void run(const std::string& line) const { run_ablation(settings(), out, device, resume, line); }
};

void add_ablate(CLI::App& app, const std::string& line) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* command =
      app.add_subcommand("ablate", "train and evaluate the eight conditions, and write a report");
  options->out = "out";
  options->add(*command);
  command->get_option("--out")->required(false)->capture_default_str();
  options->add_grpo(*command);
  command->add_option("--only", options->only, "run these conditions only");
  command->add_option("--seeds", options->seeds, "seeds 0 to N-1")->transform(whole(1, 1000));
  command->callback([options, line] { options->run(line); });
}

void add_sft(CLI::App& app, const std::string& line) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* command =
      app.add_subcommand("sft", "train and evaluate the supervised warm start alone");
  options->add(*command);
  command->callback([options, line] {
    options->only = {"sft"};
    options->supervised = true;
    options->run(line);
  });
}

void add_grpo(CLI::App& app, const std::string& line) {
  const auto options = std::make_shared<TrainOptions>();
  const auto reward = std::make_shared<std::string>("accuracy");
  CLI::App* command =
      app.add_subcommand("grpo", "train by one reward, from a new warm start or the one in --out");
  options->add(*command);
  options->add_grpo(*command);
  command->add_option("--reward", *reward, "the reward; gaze info --rewards describes them")
      ->check(CLI::IsMember(reward_names()))
      ->capture_default_str();
  command
      ->add_option("--reward-option", options->reward_options,
                   "an option of a reward, such as attention.cap=2; may be repeated")
      ->type_name("NAME.KEY=VALUE")
      ->type_size(1)
      ->allow_extra_args(false);
  command->callback([options, reward, line] {
    options->only = {"sft", *reward};
    options->run(line);
  });
}

}  // namespace

void add_training(CLI::App& app, const std::string& line) {
  add_ablate(app, line);
  add_sft(app, line);
  add_grpo(app, line);
}

}  // namespace gaze::phyx::cli
