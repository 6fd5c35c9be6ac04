// SPDX-License-Identifier: MIT
// report.html: one self-contained page from one or several run folders. It works offline, loads
// nothing, and is readable without its script.
//
//   write_report("out", {{"out"}, "Gaze: the reward ablation"});
#pragma once
#include <string>
#include <vector>

#include "phyx/report/run_data.hpp"

namespace gaze::phyx {

/// Input of a report.
struct ReportInput {
  std::vector<std::string> folders;  // each with config.json, results.csv, metrics.jsonl, ...
  std::string title = "What each reward taught";
};

/// The page as HTML. Throws Error for too many conditions (see Context).
std::string render_report(const report::RunData& data, const std::string& title);

/// Reads the folders and writes `out_dir/report.html`, creating the folder if needed. Missing data
/// are listed on the page; malformed files are Errors with file and line.
void write_report(const std::string& out_dir, const ReportInput& input);

}  // namespace gaze::phyx
