// SPDX-License-Identifier: MIT
// Data of all sections: the results, indexed, and the conditions in order.
#pragma once
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "phyx/report/findings.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/results/csv.hpp"

namespace gaze::phyx::report {

/// A view of `data`, which must outlive it.
struct Context {
  static constexpr std::size_t most_conditions = 1000;

  /// Throws Error for more than most_conditions conditions.
  explicit Context(const RunData& d);

  /// The number of seeds with test results of this condition.
  std::size_t seed_count(const std::string& condition) const;

  /// The style class with the condition's colour; "cx", without one, for a name without data.
  const std::string& style(const std::string& condition) const;

  const RunData& data;
  ResultIndex results;
  std::vector<std::string> conditions;      // those with test results
  std::vector<std::string> tempered;        // "NAME@0.25": further temperatures of NAME
  std::set<std::string> layout_only;        // templates that are reported apart
  std::vector<std::string> all_conditions;  // those with any data
  std::set<std::pair<std::string, std::string>> seeds;
  std::map<std::string, std::vector<const MetricLine*>> metrics;  // by condition
  std::map<std::string, std::string> styles;                      // by condition
};

/// A reward of a condition, by the metrics that measure it on test answers.
struct Paid {
  std::string condition, what, metric;
};

/// The rewards of the conditions, and what they measure without their gates; of conditions that
/// were not trained too, because they score the warm start's answers.
std::vector<Paid> paid_rewards(const Context& c);

/// "53.1" with its interval in small type below; a dash without a row.
std::string percent_cell(const ResultRow* r);

/// "53.1 % [50.2, 56.0]" for a sentence.
std::string percent_text(const ResultRow& r);

/// The header cell of a condition's row, with its colour.
std::string condition_header(const Context& c, const std::string& name);

/// Names and style classes, for legend().
std::vector<std::pair<std::string, std::string>> legend_entries(
    const Context& c, const std::vector<std::string>& conditions);

}  // namespace gaze::phyx::report
