// SPDX-License-Identifier: MIT
// Options of commands that read problem files.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "phyx/data/table.hpp"

namespace gaze::phyx::cli {

/// Reading options that file names and columns do not determine.
struct DataOptions {
  LoadOptions reading;
  std::string form, text = "simplified", pictures_at;

  void add(CLI::App& app);
  LoadOptions options() const;
};

}  // namespace gaze::phyx::cli
