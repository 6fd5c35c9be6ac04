// SPDX-License-Identifier: MIT
// `results.csv`: one row per (condition, seed, split, format, slice, metric), with the 95 %
// interval of statistics.hpp. docs/results.md describes every column and metric.
//
// Quoting follows RFC 4180: a field with a comma, a quote or a line break is quoted, and quotes
// inside are doubled. Errors name file and line.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "phyx/results/statistics.hpp"

namespace gaze::phyx {

struct ResultRow {
  std::string condition;
  std::string seed;        // a number, or "all" for the pooled row
  std::string split;       // all, known, new
  std::string format;      // all, MC, OE
  std::string slice_kind;  // overall, domain, reasoning, subfield, template, needs_image,
                           // layout_only
  std::string slice;
  std::string metric;
  std::int64_t n = 0;
  double value = 0, low = 0, high = 0;
  int scenes = 0, seeds = 0;     // clusters of the interval
  double error = 0, df = 0;      // standard error and degrees of freedom
  Basis basis = Basis::unknown;  // the column `interval`
};

/// The row's interval.
Interval interval_of(const ResultRow& row);

inline constexpr std::string_view results_header =
    "condition,seed,split,format,slice_kind,slice,metric,n,value,low,high,scenes,seeds,error,df,"
    "interval";

/// The rows as CSV text, header first. Numbers have seven significant digits.
std::string results_to_csv(const std::vector<ResultRow>& rows);

/// The inverse of results_to_csv. `name` is for errors: "[gaze::read_results] name line 3, ...".
/// Tables of earlier versions end with the column `high`; their intervals have an unknown basis and
/// give no verdict.
std::vector<ResultRow> results_from_csv(std::string_view text, const std::string& name);

/// Writes `results.csv` atomically.
void write_results(const std::string& path, const std::vector<ResultRow>& rows);

/// Reads `results.csv`.
std::vector<ResultRow> read_results(const std::string& path);

}  // namespace gaze::phyx
