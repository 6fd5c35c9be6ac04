// SPDX-License-Identifier: MIT
// The metrics of results.csv: sums per problem, and the ratios of two of them.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "phyx/results/outcome.hpp"

namespace gaze::phyx {

/// The slices that have a metric: all problems and those that need the picture or not; also
/// domains, reasoning types and layout-only templates; also subfields and templates.
enum class Reach { whole, coarse, fine };

/// Whether slices of a kind ("overall", "domain", ...) have metrics of this reach.
bool reaches(Reach reach, const std::string& kind);

/// A ratio of two columns of MetricTable. docs/results.md describes each by name.
struct Metric {
  std::string name;
  std::size_t numerator = 0, denominator = 0;
  bool proportion = false;  // in [0, 1], so Wilson's interval applies
  Reach reach = Reach::coarse;
};

/// Metrics and columns for outcomes with these numbers of samples and these rewards.
class MetricTable {
 public:
  /// `pass_ks`: the k of pass@k, ascending. `many`: of the problems with Outcome::many alone.
  /// `rewards`: names of Attempt::rewards.
  MetricTable(std::vector<int> pass_ks, bool many, std::vector<std::string> rewards);

  /// The number of columns.
  std::size_t width() const { return width_; }
  const std::vector<Metric>& metrics() const { return metrics_; }

  /// The metric of this name, or null.
  const Metric* find(const std::string& name) const;

  /// Adds the sums of one problem to row[width()]. Column 0 counts problems.
  void add(double* row, const Outcome& o) const;

 private:
  void add_passes(double* row, const Outcome& o, int right) const;
  void add_rewards(double* row, const Outcome& o) const;

  std::vector<int> pass_ks_;
  bool many_;
  std::vector<std::string> rewards_;
  std::size_t width_ = 0;
  std::vector<Metric> metrics_;
};

}  // namespace gaze::phyx
