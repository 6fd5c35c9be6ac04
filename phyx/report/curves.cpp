// SPDX-License-Identifier: MIT
// Learning curves: one small chart per quantity, one line per condition (the mean of its seeds, in
// front of the single seeds).
#include "phyx/report/sections.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "phyx/report/charts.hpp"
#include "phyx/report/conditions.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/run_data.hpp"

namespace gaze::phyx::report {

namespace {

struct Curve {
  std::string heading, key;  // key: of metrics.jsonl
  double scale = 1;
  bool from_zero = true;
  bool optional = false;  // not drawn if always 0: a term that is off
};

/// A curve for every reward or correlation that was logged, under a key "<begin>NAME<end>"; at most
/// 24, as own rewards are without number.
void add_named_curves(const Context& c, const std::string& begin, const std::string& end,
                      const std::string& heading, bool from_zero, std::vector<Curve>& curves) {
  std::set<std::string> names;
  for (const MetricLine& line : c.data.metrics) {
    if (line.stage != "grpo") continue;
    for (auto at = line.numbers.lower_bound(begin);
         at != line.numbers.end() && at->first.rfind(begin, 0) == 0; ++at) {
      const std::string rest = at->first.substr(begin.size());
      if (rest.size() > end.size() && rest.substr(rest.size() - end.size()) == end)
        names.insert(rest.substr(0, rest.size() - end.size()));
    }
  }
  std::size_t left = 24;
  for (const auto& name : names) {
    if (left-- == 0) break;
    curves.push_back({heading + name, begin + name + end, 1, from_zero});
  }
}

std::vector<Curve> policy_curves(const Context& c) {
  std::vector<Curve> curves = {
      {"Validation accuracy, greedy (%)", "validation/accuracy", 100},
      {"Validation accuracy, sampled (%)", "validation/sampled_accuracy", 100},
      {"Accuracy of the step's samples (%)", "accuracy", 100},
      {"Reward (mean of the step)", "reward", 1, false}};
  add_named_curves(c, "rewards/", "/mean", "Reward part: ", false, curves);
  add_named_curves(c, "correlation/", "", "Pooled correlation with correctness: ", false, curves);
  curves.insert(curves.end(),
                {{"Groups with only right answers (%)", "groups/all_right", 100},
                 {"Groups with only wrong answers (%)", "groups/all_wrong", 100},
                 {"Groups with equal rewards (%)", "frac_reward_zero_std", 100},
                 {"Reward standard deviation within groups", "reward_group_std"},
                 {"KL from the warm start (nats per token)", "kl_start"},
                 {"KL term of the loss (nats per token)", "kl", 1, true, true},
                 {"KL from the masked picture, PAPO (nats per token)", "papo/kl"},
                 {"Entropy (nats per token)", "entropy"},
                 {"Attention on the image (mean over tokens)", "attention/image_mass"},
                 {"Response length (tokens)", "completions/mean_length"},
                 {"Truncated responses (%)", "completions/clipped_ratio", 100},
                 {"Ratios clipped above (%)", "clip_ratio/high_mean", 100},
                 {"Ratios clipped below (%)", "clip_ratio/low_mean", 100},
                 {"Gradient norm", "grad_norm"},
                 {"Tokens per second", "tokens_per_second"}});
  return curves;
}

using Points = std::vector<std::pair<double, double>>;

/// The points of a quantity by seed; for a step logged twice the last value counts.
std::map<std::int64_t, Points> points_by_seed(const Context& c, const std::string& condition,
                                              const std::string& stage, const Curve& curve) {
  std::map<std::int64_t, std::map<double, double>> by_seed;
  const auto lines = c.metrics.find(condition);
  if (lines == c.metrics.end()) return {};
  for (const MetricLine* line : lines->second) {
    const MetricLine& m = *line;
    if (m.stage != stage) continue;
    const auto found = m.numbers.find(curve.key);
    if (found == m.numbers.end() || !drawable(m.step) || !drawable(found->second * curve.scale))
      continue;
    by_seed[m.seed][m.step] = found->second * curve.scale;
  }
  std::map<std::int64_t, Points> out;
  for (const auto& [seed, points] : by_seed) out[seed] = Points(points.begin(), points.end());
  return out;
}

/// Adds the mean over seeds and, with several seeds, a faint line for each.
void add_series(LineChart& chart, const std::string& label, const std::string& style,
                const std::map<std::int64_t, Points>& by_seed) {
  constexpr std::size_t most = 60;  // more points are only noise at this width
  std::map<double, std::pair<double, int>> sums;
  for (const auto& [seed, points] : by_seed) {
    if (by_seed.size() > 1)
      chart.series.push_back(
          {label + ", seed " + std::to_string(seed), style, thin_out(points, most), true});
    for (const auto& [x, y] : points) {
      sums[x].first += y;
      ++sums[x].second;
    }
  }
  Points mean;
  for (const auto& [x, sum] : sums)
    if (sum.second == int(by_seed.size())) mean.emplace_back(x, sum.first / sum.second);
  if (!mean.empty()) chart.series.push_back({label, style, thin_out(mean, most), false});
}

bool any_not_zero(const LineChart& chart) {
  for (const Series& s : chart.series)
    for (const auto& [x, y] : s.points)
      if (y != 0) return true;
  return false;
}

std::string policy_chart(const Context& c, const Curve& curve) {
  LineChart chart{curve.heading + " over steps, by condition", "step", "", {}, curve.from_zero};
  for (const auto& condition : c.all_conditions)
    add_series(chart, condition, c.style(condition), points_by_seed(c, condition, "grpo", curve));
  if (chart.series.empty() || (curve.optional && !any_not_zero(chart))) return "";
  return figure(curve.heading, draw(chart));
}

/// The loss of each supervised stage, in the warm start and in conditions.
std::string warm_start_charts(const Context& c) {
  static const Curve loss{"loss", "loss"};
  std::string out;
  for (const auto& [stage, heading] :
       {std::pair("letters", "1. Letters: loss on option letters"),
        std::pair("vision", "2. Vision: loss on labels of the picture"),
        std::pair("caption", "3. Caption: loss on descriptions"),
        std::pair("sft", "4. Responses: loss on clean responses"),
        std::pair("sft_mixed", "5. Corrupted responses: loss on partly corrupted responses")}) {
    LineChart chart{std::string(heading) + " over steps", "step", "", {}, true};
    std::vector<std::string> runs = c.all_conditions;
    runs.push_back("");
    for (const auto& run : runs)
      add_series(chart, run.empty() ? "warm start" : run, c.style(run),
                 points_by_seed(c, run, stage, loss));
    if (!chart.series.empty()) out += figure(heading, draw(chart));
  }
  return out;
}

}  // namespace

std::string curves_section(const Context& c) {
  std::string policy, names;
  for (const auto& curve : policy_curves(c)) policy += policy_chart(c, curve);
  const std::string warm = warm_start_charts(c);
  if (policy.empty() && warm.empty())
    return section("curves", "Learning curves", missing("No training was logged."));
  std::string body;
  if (!policy.empty()) {
    std::vector<std::string> trained;
    const auto in_training = [](const MetricLine* m) { return m->stage == "grpo"; };
    for (const auto& condition : c.all_conditions)
      if (const auto m = c.metrics.find(condition);
          m != c.metrics.end() && std::any_of(m->second.begin(), m->second.end(), in_training))
        trained.push_back(condition);
    body += paragraph(
        "Rewards of different conditions are different quantities: compare the shapes of the "
        "lines, not their heights. Validation accuracy, accuracy of the samples and the "
        "correlations are comparable. Pooled correlations are centred within prompts and then "
        "taken over all samples of a step, so prompts with more spread weigh more; those of test "
        "answers are means over problems of equal weight. They are missing where the reward or "
        "the correctness varies within no prompt. Long runs are averaged over neighbouring "
        "steps.");
    body += legend(legend_entries(c, trained)) + "<div class=\"grid\">\n" + policy + "</div>\n";
  } else {
    body += missing("No policy training was logged.");
  }
  if (!warm.empty()) body += "<h3>The warm start</h3>\n<div class=\"grid\">\n" + warm + "</div>\n";
  return section("curves", "Learning curves", body);
}

}  // namespace gaze::phyx::report
