// SPDX-License-Identifier: MIT
// What the rewards did: whether training moved what was paid for, whether a temperature does the
// same, and the differences on each template.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "phyx/report/charts.hpp"
#include "phyx/report/conditions.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/figures.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/report/sections.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/decision.hpp"
#include "phyx/results/run_name.hpp"

namespace gaze::phyx::report {

namespace {

// ---- what was paid for

std::string points_cell(const ResultRow* r) {
  if (!r) return "–";
  return signed_points(r->value) + "<small>" +
         (r->basis == Basis::degenerate ? "no spread" : points_interval(*r)) + "</small>";
}

std::string number_cell(const ResultRow* r) {
  return r ? fixed(r->value, 2) + "<small>[" + fixed(r->low, 2) + ", " + fixed(r->high, 2) +
                 "]</small>"
           : "–";
}

/// Whether the difference to the warm start excludes 0.
std::string moved(const ResultRow* r) {
  if (!r) return "not measured";
  const std::string where = r->seeds == 1 ? " in this seed" : "";
  switch (decide(interval_of(*r), 0)) {
    case Verdict::above:
      return "rose" + where;
    case Verdict::below:
      return "fell" + where;
    default:
      return r->basis == Basis::degenerate ? "no spread" : "undecided";
  }
}

// ---- reward against accuracy

using Points = std::vector<std::pair<double, double>>;

/// Mean reward and accuracy of the steps of a condition, averaged over seeds and neighbours.
Points reward_and_accuracy(const Context& c, const std::string& condition) {
  constexpr std::size_t most = 12;
  std::map<double, std::pair<std::pair<double, double>, int>> steps;
  const auto lines = c.metrics.find(condition);
  if (lines == c.metrics.end()) return {};
  for (const MetricLine* m : lines->second) {
    const auto reward = m->numbers.find("reward"), accuracy = m->numbers.find("accuracy");
    if (m->stage != "grpo" || reward == m->numbers.end() || accuracy == m->numbers.end() ||
        !drawable(reward->second) || !drawable(accuracy->second))
      continue;
    auto& [sums, count] = steps[m->step];
    sums.first += reward->second;
    sums.second += accuracy->second * 100;
    ++count;
  }
  Points out;
  for (const auto& [step, sum] : steps)
    out.emplace_back(sum.first.first / sum.second, sum.first.second / sum.second);
  return thin_out(out, most);
}

std::string reward_chart(const Context& c) {
  LineChart chart{"Reward against accuracy over training, by condition",
                  "mean reward of a step",
                  "",
                  {},
                  false,
                  false,
                  520,
                  260};
  for (const auto& condition : c.all_conditions) {
    Points points = reward_and_accuracy(c, condition);
    if (!points.empty())
      chart.series.push_back({condition, c.style(condition), std::move(points), false, true});
  }
  if (chart.series.empty()) return "";
  std::vector<std::string> drawn;
  for (const Series& series : chart.series) drawn.push_back(series.label);
  return legend(legend_entries(c, drawn)) + figure("Accuracy of the samples (%)", draw(chart));
}

// ---- temperature

/// The temperature of the evaluation in config.json.
double evaluation_temperature(const Context& c) {
  for (const io::Json& config : c.data.configs) {
    const auto e = config.find("evaluation");
    if (e != config.end() && e->is_object())
      return io::json_number(*e, "temperature", "config.json", 1);
  }
  return 1;
}

/// Accuracy of each condition over its temperatures; greedy answers are temperature 0. A condition
/// without further ones is a dot at the evaluation's own.
Figure temperature_figure(const Context& c, const std::string& format, const std::string& heading) {
  LineChart chart{heading + " over temperature", "temperature", "", {}, true, false, 520, 260};
  Figure out{"temperature-" + format, heading + ": accuracy over temperature (%)", ""};
  bool lines = false;
  for (const auto& condition : c.conditions) {
    Points points;
    const auto add = [&](double t, const std::string& name, const char* metric) {
      const auto* r = c.results.find(name, metric, "known", format);
      if (r && drawable(t) && drawable(r->value * 100)) points.emplace_back(t, r->value * 100);
    };
    for (const auto& name : c.tempered)
      if (tempered_from(name) == condition)
        add(std::strtod(temperature_of(name).c_str(), nullptr), name, "accuracy_sampled");
    if (!points.empty()) add(0, condition, "accuracy_greedy");
    lines = lines || !points.empty();
    add(evaluation_temperature(c), condition, "accuracy_sampled");
    if (points.empty()) continue;
    std::sort(points.begin(), points.end());
    out.conditions.push_back(condition);
    chart.series.push_back({condition, c.style(condition), std::move(points), false, true});
  }
  if (lines) out.chart = draw(chart);
  return out;
}

// ---- templates

std::string template_metric(const Context& c) { return "accuracy_sampled_vs_" + c.data.start; }

Mark difference_mark(const ResultRow& r, std::vector<double> seeds) {
  return {r.value, r.low, r.high,
          r.slice + ": " + signed_points(r.value) + ", " + interval_note(r) + ", " +
              std::to_string(r.n) + " problems",
          std::move(seeds)};
}

std::string forest(const Context& c, const std::string& condition) {
  RowChart chart;
  chart.title = "Difference to the warm start by template: " + condition;
  chart.axis = "points";
  chart.dots = true;
  chart.width = 520;
  chart.label_width = 150;
  double most = 0.1;
  for (const ResultRow* r :
       c.results.find_all(condition, template_metric(c), "all", "all", "template")) {
    Mark mark = difference_mark(*r, c.results.seeds_of(*r));
    most = std::max({most, std::fabs(r->low), std::fabs(r->high)});
    const bool apart = c.layout_only.contains(r->slice);
    chart.rows.push_back({r->slice + (apart ? " *" : ""), c.style(condition), {std::move(mark)}});
  }
  if (chart.rows.empty()) return "";
  if (const auto* r = c.results.find(condition, template_metric(c), "all", "all", "layout_only"))
    chart.rows.push_back({"all *, together", c.style(condition), {difference_mark(*r, {})}});
  std::stable_sort(chart.rows.begin(), chart.rows.end(), [](const ChartRow& a, const ChartRow& b) {
    return a.marks[0].value > b.marks[0].value;
  });
  chart.high = std::min(1.0, std::ceil(most * 10) / 10);
  chart.low = -chart.high;
  return draw(chart);
}

}  // namespace

std::vector<Paid> paid_rewards(const Context& c) {
  std::set<std::string> points;
  for (const auto& condition : c.conditions) points.insert(grid_point(condition));
  std::vector<Paid> out;
  for (const UsedReward& use : used_rewards(c.data.configs))
    for (const auto& point : points) {
      const std::string condition = use.condition + point, metric = "reward_" + use.scored;
      out.push_back({condition, use.label, metric});
      out.push_back({condition, use.label + ", ungated", metric + "_ungated"});
    }
  return out;
}

std::string paid_section(const Context& c) {
  std::string rows;
  for (const Paid& p : paid_rewards(c)) {
    const std::string sft = c.data.start + grid_point(p.condition);
    const auto* start = c.results.find(sft, p.metric, "known");
    const auto* now = c.results.find(p.condition, p.metric, "known");
    const auto* difference = c.results.find(p.condition, p.metric + "_vs_" + c.data.start, "known");
    const auto* correlation = c.results.find(sft, p.metric + "_correctness", "known");
    if (!now && !start) continue;
    rows += "<tr>" + condition_header(c, p.condition) + tag("td", "", escape(p.what)) +
            tag("td", "", number_cell(start)) + tag("td", "", number_cell(now)) +
            tag("td", "", points_cell(difference)) + tag("td", "", moved(difference)) +
            tag("td", "", number_cell(correlation)) + "</tr>\n";
  }
  std::string body;
  if (rows.empty()) {
    body = missing("The rewards of test answers were not measured.");
  } else {
    body = paragraph(
               "The manipulation check: each condition's rewards on sampled test answers, at the "
               "warm start and after training. A condition whose reward did not rise says nothing "
               "about that reward. Ungated: what the reward measures, whether or not the answer is "
               "right and well-formed. The last column is the correlation of the reward with "
               "correctness among the warm start's answers to one problem: near 0, the reward "
               "cannot select right answers. Random rewards and those that need further answers "
               "exist in training only; see the learning curves.") +
           "<div class=\"scroll\"><table><thead><tr><th>Condition</th><th>Paid for</th>"
           "<th>Warm start</th><th>Trained</th><th>Difference (points)</th><th>It …</th>"
           "<th>Correlation with correctness</th></tr></thead><tbody>\n" +
           rows + "</tbody></table></div>\n";
  }
  if (const std::string chart = reward_chart(c); !chart.empty())
    body += "<h3>Reward against accuracy</h3>\n" +
            paragraph(
                "Each line follows a condition through training; the dot is its end. A line "
                "to the right without a rise is a reward that grows without accuracy.") +
            chart;
  return section("paid", "Did training move what was paid for?", body);
}

std::vector<Figure> temperature_figures(const Context& c) {
  return {temperature_figure(c, "MC", "Multiple choice"),
          temperature_figure(c, "OE", "Open-ended")};
}

std::string temperature_section(const Context& c) {
  const auto figures = temperature_figures(c);
  const std::string charts = page_figures(figures);
  if (charts.empty())
    return section("temperature", "Would a lower temperature do the same?",
                   missing("No condition was evaluated at further temperatures."));
  return section(
      "temperature", "Would a lower temperature do the same?",
      paragraph("Accuracy of sampled answers over the sampling temperature; greedy answers are at "
                "0. Conditions without further temperatures are dots. A gain of a reward that a "
                "lower temperature of the warm start reaches too is sharpening.") +
          legend(legend_entries(c, drawn_in(figures))) + "<div class=\"grid wide\">\n" + charts +
          "</div>\n");
}

std::string templates_section(const Context& c) {
  std::string tabs;
  for (const auto& condition : c.conditions) {
    const std::string chart = forest(c, condition);
    if (!chart.empty())
      tabs += "<div data-tab=\"" + escape(condition) + "\"><h3>" + escape(condition) + "</h3>" +
              figure("Sampled accuracy minus the warm start's (points)", chart) + "</div>\n";
  }
  if (tabs.empty())
    return section("templates", "By template",
                   missing("There is no condition to compare with the warm start."));
  return section("templates", "By template",
                 paragraph("Differences on each template with 95&nbsp;% intervals; small circles "
                           "are single seeds. None of these comparisons was declared, so single "
                           "ones prove nothing.") +
                     (c.layout_only.empty()
                          ? ""
                          : paragraph("* The held-out scenes of this template repeat deciding "
                                      "values of training scenes: only their layout is new. It is "
                                      "reported apart, here, and is in no other number.")) +
                     "<div class=\"tabs\">\n" + tabs + "</div>\n");
}

}  // namespace gaze::phyx::report
