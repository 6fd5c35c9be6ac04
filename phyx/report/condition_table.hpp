// SPDX-License-Identifier: MIT
// A table of metrics by condition.
#pragma once
#include <string>
#include <vector>

#include "phyx/report/context.hpp"

namespace gaze::phyx::report {

/// One metric on a part of the results.
struct TableColumn {
  const char* heading;
  const char* metric;
  const char* split;
  const char* format;
  bool tokens = false;  // a number of tokens instead of a share
};

/// A table with a row per condition and a column per metric; with `mark_best` the highest value of
/// each column is bold.
std::string condition_table(const Context& c, const std::vector<TableColumn>& columns,
                            bool mark_best);

}  // namespace gaze::phyx::report
