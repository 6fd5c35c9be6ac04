// SPDX-License-Identifier: MIT
// What a report is drawn from: a run's configuration, results, training curves and completions,
// read from one folder or merged from several (one per condition and seed, say).
//
// Whatever is absent or cut short is noted instead of refused: a stopped run has a report too. What
// is there but malformed is an Error with file and line, but for the last line of a growing log.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/report/completion.hpp"
#include "phyx/results/csv.hpp"

namespace gaze::phyx::report {

/// One line of metrics.jsonl.
struct MetricLine {
  std::string condition, stage;
  std::int64_t seed = 0;
  double step = 0;
  std::map<std::string, double> numbers;
};

/// An answer that the strict and the official rule judge differently, as differing.jsonl has it.
struct DifferingAnswer {
  std::string condition, index, form, answer, text;
  bool strict = false;  // right by the strict rule, so not by the official one, or the reverse
};

inline constexpr std::size_t differing_shown = 6;  // of each kind and condition

/// Everything a report is drawn from.
struct RunData {
  std::vector<std::string> folders;
  std::vector<io::Json> configs;
  std::vector<ResultRow> results;
  std::vector<MetricLine> metrics;
  std::vector<Completion> completions;
  std::vector<DifferingAnswer> differing;
  std::vector<std::string> notes;  // what is missing, worded for the reader
};

/// The rows that `results.csv` should hold for these folders together. Error for malformed files.
std::vector<ResultRow> merge_results(const std::vector<std::string>& folders);

/// Reads everything there is. Error for no folder, for one that is not a folder, for malformed
/// files, and where runs of different settings would be pooled.
RunData read_runs(const std::vector<std::string>& folders);

}  // namespace gaze::phyx::report
