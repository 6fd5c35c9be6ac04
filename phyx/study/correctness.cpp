// SPDX-License-Identifier: MIT
// Shares of groups, and correlations within them.
#include "phyx/study/correctness.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// Subtracts the mean; exactly 0 for equal values, which rounding could leave apart.
void centre(std::vector<double>& x) {
  if (x.empty()) return;
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  if (*low == *high) return x.assign(x.size(), 0.0);
  double mean = 0;
  for (const double v : x) mean += v / static_cast<double>(x.size());
  for (double& v : x) v -= mean;
}

}  // namespace

double correlation_within_groups(std::span<const double> x, std::span<const double> y,
                                 std::size_t group) {
  GAZE_CHECK(x.size() == y.size() && group > 0 && x.size() % group == 0, "correlation", x.size(),
             " and ", y.size(), " scores in groups of ", group);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t at = 0; at < x.size(); at += group) {
    std::vector<double> a, b;
    for (std::size_t i = at; i < at + group; ++i) {
      if (std::isnan(x[i]) || std::isnan(y[i])) continue;
      a.push_back(x[i]);
      b.push_back(y[i]);
    }
    centre(a);
    centre(b);
    for (std::size_t i = 0; i < a.size(); ++i) {
      xx += a[i] * a[i];
      yy += b[i] * b[i];
      xy += a[i] * b[i];
    }
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : none;
}

void add_correctness_metrics(std::span<const double> right, std::size_t group,
                             std::span<const MixScore> scores,
                             const std::vector<std::string>& names, Metrics& metrics) {
  GAZE_CHECK(right.size() == scores.size() && group > 0 && right.size() % group == 0, "correctness",
             right.size(), " grades and ", scores.size(), " scores in groups of ", group);
  double all_right = 0, all_wrong = 0;
  for (std::size_t at = 0; at < right.size(); at += group) {
    const auto begin = right.begin() + static_cast<std::ptrdiff_t>(at);
    const auto [low, high] = std::minmax_element(begin, begin + static_cast<std::ptrdiff_t>(group));
    all_right += *low > 0;
    all_wrong += *high == 0;
  }
  const double groups = static_cast<double>(right.size() / group);
  metrics.emplace_back("groups/all_right", all_right / groups);
  metrics.emplace_back("groups/all_wrong", all_wrong / groups);
  const auto add = [&](const std::string& name, auto score) {
    std::vector<double> values;
    for (const MixScore& s : scores) values.push_back(score(s));
    const double r = correlation_within_groups(values, right, group);
    if (!std::isnan(r)) metrics.emplace_back("correlation/" + name, r);
  };
  add("reward", [](const MixScore& s) { return s.total; });
  for (std::size_t k = 0; k < names.size(); ++k)
    add(names[k], [k](const MixScore& s) { return s.parts[k].value_or(none); });
}

}  // namespace gaze::phyx
