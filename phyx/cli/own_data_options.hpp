// SPDX-License-Identifier: MIT
// Options of training commands that run on one's own data instead of the synthetic suite.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gaze/core/index.hpp"

namespace gaze::phyx {

struct StudyChange;

namespace cli {

struct OwnDataOptions {
  std::vector<std::string> data;
  std::string start, prompt_template;
  double hold_out = 0.2;
  std::int64_t hold_out_seed = 0;
  std::optional<Index> sft_steps;

  /// Adds the options; without --data the others are refused. Call after the options that do not
  /// apply to own data (--corruption, --split) and --model, which --start determines.
  void add(CLI::App& app);

  /// Adds the settings of a run with --data. `supervised`: whether responses are imitated unless
  /// --sft-steps says otherwise. Throws Error for an unreadable or invalid template.
  void add_changes(std::vector<StudyChange>& changes, bool supervised, bool published) const;
};

}  // namespace cli

}  // namespace gaze::phyx
