// SPDX-License-Identifier: MIT
// A small folder that contains a study's result: settings, the rows of results.csv that tables and
// figures use, the tables as Markdown and the figures as SVG. `gaze report` reads it like a run.
#pragma once
#include <string>

#include "phyx/report/run_data.hpp"

namespace gaze::phyx::report {

/// Whether a folder was written by publish().
bool is_published(const std::string& folder);

/// Writes config.json (of several runs in subfolders), results.csv, tables.md and one SVG file for
/// each figure with data, in place of those of an earlier publication. The same data give the same
/// bytes, also after reading the folder again.
void publish(const RunData& data, const std::string& folder);

}  // namespace gaze::phyx::report
