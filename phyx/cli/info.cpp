// SPDX-License-Identifier: MIT
// gaze info.
#include <cstdio>
#include <string>

#include "gaze/core/parallel.hpp"
#include "gaze/cpu/isa.hpp"
#include "gaze/image/tile_plan.hpp"
#include "gaze/rl/variants.hpp"
#include "models/presets.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/device.hpp"
#include "phyx/cli/published_options.hpp"
#include "phyx/eval/model_info.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/synth/cues.hpp"
#include "phyx/synth/suite.hpp"

namespace gaze::phyx::cli {

namespace {

void print_templates(bool (*chosen)(const synth::Template&)) {
  for (const synth::Template& t : synth::templates())
    if (chosen(t)) std::printf(" %s", t.id.c_str());
}

void print_info() {
  std::printf("gaze %s\ncompiler      %s\ninstructions  %s (supported:", GAZE_VERSION, __VERSION__,
              name(isa()));
  for (const Isa i : every_isa)
    if (supported(i)) std::printf(" %s", name(i));
  const std::string reason = no_cuda();
  std::printf(", bf16 in %s)\nthreads       %d\ndevices       cpu%s\nmodels       ",
              name(bf16_products()), threads(),
              reason.empty() ? ", cuda" : (" (no cuda: " + reason + ")").c_str());
  for (const auto& p : models::presets) std::printf(" %s", p.name);
  std::printf("\nvariants     ");
  for (const auto& v : rl::variants) std::printf(" %s", v.name);
  std::printf("\ntemplates    ");
  print_templates([](const synth::Template&) { return true; });
  std::printf("\n  held out by layout alone:");
  print_templates([](const synth::Template& t) { return t.layout_only; });
  std::printf("\n  with a text cue:");
  print_templates([](const synth::Template& t) { return synth::find_cue(t.id) != nullptr; });
  std::printf("\nrewards\n");
  for (const auto& n : reward_names()) {
    const RewardKind& r = reward_kind(n);
    std::printf("  %-16s %s\n%19s= %s\n", n.c_str(), r.doc.c_str(), "", r.formula.c_str());
  }
}

std::string default_text(const RewardOption& o) {
  if (o.default_value.is_null()) return "…";  // required
  return o.default_value.is_string() ? o.default_value.get<std::string>() : o.default_value.dump();
}

/// Each reward in full: formula, range, cheats, options.
void print_rewards() {
  for (const auto& n : reward_names()) {
    const RewardKind& r = reward_kind(n);
    std::printf(
        "%s\n  pays for    %s\n  formula     %s\n  range       %g to %g\n  cheated by  %s\n",
        n.c_str(), r.doc.c_str(), r.formula.c_str(), r.low, r.high, r.cheats.c_str());
    for (const RewardOption& o : r.options)
      std::printf("  --reward-option %s.%s=%s  %s (%s)\n", n.c_str(), o.name.c_str(),
                  default_text(o).c_str(), o.meaning.c_str(), o.range_text().c_str());
    std::printf("\n");
  }
}

struct InfoOptions {
  std::string model, adapter;
  MemoryBatches batches;
  bool rewards = false;

  void add(CLI::App& app) {
    CLI::Option* all =
        app.add_flag("--rewards", rewards,
                     "print each reward's formula, range, known cheats and options instead");
    CLI::Option* of =
        app.add_option("--model", model,
                       "print about this model instead: folder or .safetensors file of a trained "
                       "model, or folder of a published checkpoint")
            ->excludes(all);
    add_adapter(app, adapter, nullptr)->needs(of);
    app.add_option("--prompt-tokens", batches.text,
                   "tokens of a prompt, for the forecast of a model's memory")
        ->transform(whole(1, 1 << 20))
        ->capture_default_str();
    app.add_option("--tiles", batches.tiles,
                   "tiles of a prompt's picture, for the forecast; default: the most that a "
                   "picture of the checkpoint has")
        ->transform(whole(1, image::kMostTiles))
        ->needs(of);
  }
  void run() const {
    if (rewards) return print_rewards();
    if (model.empty()) return print_info();
    std::fputs(for_standard_output(model_info(model, batches, adapter)).c_str(), stdout);
  }
};

}  // namespace

void add_info(CLI::App& app) {
  add_command<InfoOptions>(
      app, "info", "print build, processor, models and rewards; or what a model's files are");
}

}  // namespace gaze::phyx::cli
