// SPDX-License-Identifier: MIT
// gaze ablate, sft, grpo.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/rl/options.hpp"
#include "gaze/rl/variants.hpp"
#include "models/hf/checkpoint.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/own_data_options.hpp"
#include "phyx/cli/run_ablation.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/study_file.hpp"

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

/// The text of an option as a value: true, a number, or else a text.
io::Json value_of(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  const io::Json number = io::Json::parse(text, nullptr, false);
  return number.is_number() ? number : io::Json(text);
}

/// Options of the training commands; unset ones keep the value of the study.
struct TrainOptions {
  std::string study, preset, out, model, variant, split, precision, device = "cpu";
  std::vector<std::string> only, assignments, shorts, reward_options;
  std::string reward;  // of the command grpo; a condition is added unless the study has it
  std::optional<std::int64_t> seed, seeds;
  std::optional<double> corruption, rate;
  std::optional<Index> steps, samples, checkpoint_every, validate_every;
  bool resume = false, tensorboard = false;
  bool supervised = false;  // the command is sft
  bool start_only = false;  // run the warm start, and `only`
  OwnDataOptions own;

  void add(CLI::App& app) {
    app.add_option("--study", study,
                   "study file, or a built-in study: " + study_names() +
                       "; default: rewards, of a published checkpoint checkpoint");
    app.add_option("--preset", preset,
                   "preset of the study; of rewards: smoke (about a minute), quick (one seed, the "
                   "default), full (five)");
    app.add_option("--out", out, "output folder of the run")->required();
    app.add_option("--model", model,
                   "model size: nano, tiny, small, base, large, or the folder of a published "
                   "checkpoint, of which LoRA adapters are trained");
    app.add_option("--precision", precision,
                   "float32, or bf16 in products with weights and, on cuda, in attention")
        ->check(CLI::IsMember({"float32", "bf16"}));
    app.add_option("--seed", seed, "one seed")->transform(whole(0, largest));
    app.add_option("--corruption", corruption, "share of corrupted responses in the warm start")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--split", split, "problems to evaluate: test, or val while choosing settings")
        ->check(CLI::IsMember({"test", "val"}));
    app.add_option("--samples", samples, "sampled answers per test problem")
        ->transform(whole(0, most_samples));
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
    app.add_option("--reward-option", reward_options,
                   "an option of a reward, such as attention.cap=2; may be repeated")
        ->type_name("NAME.KEY=VALUE")
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

  /// The study with the options' changes.
  Study read() const {
    StudyRequest request{preset, {}};
    const auto change = [&](const char* path, const char* option, const auto& value) {
      request.changes.push_back({path, value, option});
    };
    const auto set = [&](const char* path, const char* option, const auto& value) {
      if (value) change(path, option, *value);
    };
    const auto set_text = [&](const char* path, const char* option, const std::string& text) {
      if (!text.empty()) change(path, option, text);
    };
    set_text("model", "--model", model);
    set_text("precision", "--precision", precision);
    set_text("grpo.variant", "--variant", variant);
    set_text("split", "--split", split);
    set("warm_start.corruption.share", "--corruption", corruption);
    set("evaluation.samples", "--samples", samples);
    set("checkpoint_every", "--checkpoint-every", checkpoint_every);
    set("grpo.steps", "--steps", steps);
    set("grpo.rate", "--rate", rate);
    set("validation.every", "--validate-every", validate_every);
    if (tensorboard) change("tensorboard", "--tensorboard", true);
    std::vector<std::string> chosen = only;
    if (start_only) {
      const AblationSettings all = read_study(study_name(), {preset, {}}).settings;
      GAZE_CHECK(!start_name(all).empty(), "study", study_name(),
                 ": has no condition of method none, the warm start unchanged");
      chosen.insert(chosen.begin(), start_name(all));
      for (const Condition& c : all.conditions)
        if (supervised && published() && c.method == Method::sft) chosen.push_back(c.name);
    }
    if (!chosen.empty()) change("only", "--only", chosen);
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < seeds.value_or(0); ++i) all.push_back(i);
    if (seed) all = {*seed};
    if (!all.empty()) change("seeds", seed ? "--seed" : "--seeds", all);
    for (const auto* list : {&shorts, &assignments})
      for (const std::string& assignment : *list) {
        rl::GrpoSettings scratch;
        rl::set_option(scratch, assignment);
        const std::size_t equal = assignment.find('=');
        const std::string path = "grpo." + assignment.substr(0, equal);
        change(path.c_str(), "--set", value_of(assignment.substr(equal + 1)));
      }
    RewardOptions options;
    for (const auto& assignment : reward_options) set_reward_option(options, assignment);
    for (const auto& [name, values] : options)
      for (const auto& [key, value] : values.items())
        change(("reward." + name + "." + key).c_str(), "--reward-option", value);
    if (!reward.empty() && !has_condition(reward)) {
      const std::string path = "condition." + reward + ".";
      change((path + "method").c_str(), "--reward", "grpo");
      change((path + "rewards." + reward).c_str(), "--reward", 1.0);
      change((path + "rewards.format").c_str(), "--reward", 0.5);
    }
    own.add_changes(request.changes, supervised, published());
    return read_study(study_name(), request);
  }

  bool published() const { return models::hf::is_published_checkpoint(model); }

  /// The study file, or the name of a built-in study.
  std::string study_name() const {
    return !study.empty() ? study : published() ? "checkpoint" : "rewards";
  }

  /// Whether the study has a condition of this name.
  bool has_condition(const std::string& name) const {
    const auto conditions = read_study(study_name(), {preset, {}}).settings.conditions;
    return std::any_of(conditions.begin(), conditions.end(),
                       [&](const Condition& c) { return c.name == name; });
  }

  void run(const std::string& line) const { run_ablation(read(), out, device, resume, line); }

  static std::string study_names() {
    std::string names;
    for (const auto& name : built_in_studies()) names += (names.empty() ? "" : ", ") + name;
    return names;
  }
};

void add_ablate(CLI::App& app, const std::string& line) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* command =
      app.add_subcommand("ablate", "run a study: train and evaluate its conditions, and report");
  options->out = "out";
  options->add(*command);
  command->get_option("--out")->required(false)->capture_default_str();
  options->add_grpo(*command);
  command->add_option("--only", options->only, "run these conditions only");
  command->add_option("--seeds", options->seeds, "seeds 0 to N-1")->transform(whole(1, 1000));
  const auto check = std::make_shared<bool>(false), print = std::make_shared<bool>(false);
  command->add_flag("--check", *check, "print what would run, with memory and time, and stop");
  command->add_flag("--print", *print, "print the settled study as a file, and stop");
  command->callback([options, check, print, line] {
    if (*print) std::fputs(for_standard_output(study_toml(options->read())).c_str(), stdout);
    if (*check) check_ablation(options->read(), options->device);
    if (!*print && !*check) options->run(line);
  });
}

void add_sft(CLI::App& app, const std::string& line) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* command = app.add_subcommand("sft",
                                         "train and evaluate the supervised warm start alone, or "
                                         "adapters of a published checkpoint on responses");
  options->add(*command);
  command->callback([options, line] {
    options->supervised = true;
    options->start_only = true;
    options->run(line);
  });
}

void add_grpo(CLI::App& app, const std::string& line) {
  const auto options = std::make_shared<TrainOptions>();
  options->reward = "accuracy";
  CLI::App* command =
      app.add_subcommand("grpo", "train by one reward, from a new warm start or the one in --out");
  options->add(*command);
  options->add_grpo(*command);
  command
      ->add_option("--reward", options->reward,
                   "a condition of the study, or any reward of gaze info --rewards, plus half a "
                   "point for format")
      ->capture_default_str();
  command->callback([options, line] {
    options->only = {options->reward};
    options->start_only = true;
    const Study study = options->read();
    GAZE_CHECK(condition(study.settings, options->reward).method == Method::grpo, "grpo",
               "--reward ", options->reward, ": is not a condition of method grpo");
    run_ablation(study, options->out, options->device, options->resume, line);
  });
}

}  // namespace

void add_training(CLI::App& app, const std::string& line) {
  add_ablate(app, line);
  add_sft(app, line);
  add_grpo(app, line);
}

}  // namespace gaze::phyx::cli
