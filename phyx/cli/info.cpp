// SPDX-License-Identifier: MIT
// gaze info.
#include <cstdio>

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
    const Reward& r = reward(n);
    std::printf("  %-14s %s\n%17s= %s\n", n.c_str(), r.doc.c_str(), "", r.formula.c_str());
  }
}

}  // namespace

void add_info(CLI::App& app) {
  app.add_subcommand("info", "print build, processor, models and rewards")->callback(print_info);
}

}  // namespace gaze::phyx::cli
