// SPDX-License-Identifier: MIT
// Verdicts by p-values, which is the same as by intervals: p < 5 % if and only if the interval of
// the rule excludes, or is within, the margin.
#include "phyx/results/decision.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "gaze/core/error.hpp"
#include "phyx/results/student.hpp"

namespace gaze::phyx {

namespace {

constexpr double level = 0.05;

constexpr std::array<std::pair<Verdict, std::string_view>, 4> verdict_names = {{
    {Verdict::above, "above"},
    {Verdict::below, "below"},
    {Verdict::equivalent, "equivalent"},
    {Verdict::undecided, "undecided"},
}};

bool decidable(const Interval& i) {
  return i.basis != Basis::degenerate && i.basis != Basis::unknown && i.error > 0 && i.df > 0 &&
         std::isfinite(i.value) && std::isfinite(i.error);
}

/// The verdict with the smallest p-value, not adjusted.
Decision strongest(const Interval& i, double margin) {
  GAZE_CHECK(margin >= 0, "decide", "margin must not be negative, got ", margin);
  if (!decidable(i)) return {};
  const double beyond_top = student_cdf((margin - i.value) / i.error, i.df);         // d <= +m
  const double beyond_bottom = student_cdf((i.value + margin) / i.error, i.df);      // d >= -m
  const double not_below_top = student_cdf((i.value - margin) / i.error, i.df);      // d >= +m
  const double not_above_bottom = student_cdf(-(i.value + margin) / i.error, i.df);  // d <= -m
  Decision out{Verdict::above, std::min(1.0, 2 * beyond_top)};
  if (2 * beyond_bottom < out.p) out = {Verdict::below, 2 * beyond_bottom};
  const double equivalent = std::max(not_below_top, not_above_bottom);
  if (equivalent < out.p) out = {Verdict::equivalent, equivalent};
  return out;
}

}  // namespace

std::string_view verdict_name(Verdict v) {
  for (const auto& [known, name] : verdict_names)
    if (known == v) return name;
  return "";
}

std::optional<Verdict> verdict_of(std::string_view name) {
  for (const auto& [verdict, known] : verdict_names)
    if (known == name) return verdict;
  return std::nullopt;
}

Interval at_level(const Interval& interval, double wanted) {
  GAZE_CHECK(decidable(interval), "at_level", "the interval of ", interval.value,
             " has no standard error");
  Interval out = interval;
  const double half = student_quantile((1 + wanted) / 2, interval.df) * interval.error;
  out.low = interval.value - half;
  out.high = interval.value + half;
  return out;
}

Verdict decide(const Interval& interval, double margin) {
  const Decision d = strongest(interval, margin);
  return d.p < level ? d.verdict : Verdict::undecided;
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> out(p_values.size());
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const double p = p_values[order[k]];
    GAZE_CHECK(p >= 0 && p <= 1, "holm", "p-value ", order[k], " is ", p, ", not within 0 to 1");
    largest = std::max(largest, std::min(1.0, double(order.size() - k) * p));
    out[order[k]] = largest;
  }
  return out;
}

std::vector<Decision> holm(std::span<const Comparison> comparisons) {
  std::vector<Decision> out;
  std::vector<double> p_values;
  for (const auto& c : comparisons) {
    out.push_back(strongest(c.difference, c.margin));
    p_values.push_back(out.back().p);
  }
  const auto adjusted = holm(std::span<const double>(p_values));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].p = adjusted[i];
    if (!(adjusted[i] < level)) out[i].verdict = Verdict::undecided;
  }
  return out;
}

}  // namespace gaze::phyx
