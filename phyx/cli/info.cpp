// SPDX-License-Identifier: MIT
// gaze info.
#include <cstdio>
#include <memory>
#include <string>

#include "gaze/core/parallel.hpp"
#include "gaze/cpu/isa.hpp"
#include "gaze/rl/variants.hpp"
#include "models/presets.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/device.hpp"
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
  for (const Isa i : {Isa::generic, Isa::avx2, Isa::avx512})
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

}  // namespace

void add_info(CLI::App& app) {
  const auto rewards = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("info", "print build, processor, models and rewards");
  command->add_flag("--rewards", *rewards,
                    "print each reward's formula, range, known cheats and options instead");
  command->callback([rewards] { *rewards ? print_rewards() : print_info(); });
}

}  // namespace gaze::phyx::cli
