// SPDX-License-Identifier: MIT
// The op table as sets of names, and their comparison with what the tests have.
#pragma once
#include <set>
#include <string>

#include "gaze/ops/table.hpp"
#include "tests/texts.hpp"

namespace gaze::test {

/// Names of the rows with any of these checks.
inline std::set<std::string> rows_with(unsigned checks) {
  std::set<std::string> names;
  for (const OpRow& row : op_table)
    if (row.checks & checks) names.emplace(row.name);
  return names;
}

/// Rows with these checks without a counterpart in the tests, and the other way: "" if none.
inline std::string unmatched(unsigned checks, const std::string& in_table,
                             const std::string& in_tests, const std::set<std::string>& tested) {
  return difference("the rows of gaze/ops/table.hpp" + in_table, rows_with(checks), in_tests,
                    tested);
}

}  // namespace gaze::test
