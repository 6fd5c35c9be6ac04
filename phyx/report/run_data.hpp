// SPDX-License-Identifier: MIT
// The data of a report: a run's configuration, results, training curves and completions, read from
// one folder or merged from several (e.g. one per condition and seed).
//
// Missing or truncated data are noted, so that a stopped run has a report too. Malformed data are
// an Error with file and line, except for the last line of a log.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/report/completion.hpp"
#include "phyx/results/claims.hpp"
#include "phyx/results/csv.hpp"

namespace gaze::phyx::report {

/// One line of metrics.jsonl.
struct MetricLine {
  std::string condition, stage;
  std::int64_t seed = 0;
  double step = 0;
  std::map<std::string, double> numbers;
};

/// An answer on which the strict and the official rule differ, a line of differing.jsonl.
struct DifferingAnswer {
  std::string condition, index, form, answer, text;
  bool strict = false;  // true: right only by the strict rule; false: only by the official one
};

inline constexpr std::size_t differing_shown = 6;  // per kind and condition

/// All data of a report.
struct RunData {
  std::vector<std::string> folders;
  std::vector<io::Json> configs;
  std::vector<Claim> claims;  // of config.json ("claims")
  std::string start = "sft";  // the condition that is the warm start, of config.json
  std::vector<ResultRow> results;
  std::vector<MetricLine> metrics;
  std::vector<Completion> completions;
  std::vector<DifferingAnswer> differing;
  std::vector<std::string> notes;  // missing data, as text for the reader
};

/// The rows of a combined `results.csv` of these folders. Throws Error for malformed files.
std::vector<ResultRow> merge_results(const std::vector<std::string>& folders);

/// Reads all data. Throws Error without folders, for a path that is not a folder, for malformed
/// files, and if runs have different settings.
RunData read_runs(const std::vector<std::string>& folders);

}  // namespace gaze::phyx::report
