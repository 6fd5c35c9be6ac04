// SPDX-License-Identifier: MIT
// A table of metrics by condition.
#pragma once
#include <string>
#include <vector>

#include "phyx/report/context.hpp"
#include "phyx/results/csv.hpp"

namespace gaze::phyx::report {

/// One metric on a part of the results.
struct TableColumn {
  const char* heading;
  const char* metric;
  const char* split = "known";
  const char* format = "all";
  bool tokens = false;  // a number of tokens instead of a share
  const char* kind = "overall";
  const char* slice = "all";

  /// Its row for a condition, or null.
  const ResultRow* find(const Context& c, const std::string& condition) const {
    return c.results.find(condition, metric, split, format, kind, slice);
  }
};

/// A table with a row per condition and a column per metric; with `mark_best` the highest value of
/// each column is bold.
std::string condition_table(const Context& c, const std::vector<TableColumn>& columns,
                            bool mark_best);

}  // namespace gaze::phyx::report
