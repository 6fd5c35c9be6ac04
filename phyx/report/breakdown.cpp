// SPDX-License-Identifier: MIT
// Charts of test results: overall, by reasoning type and domain, with and without the picture, and
// over the number of samples.
#include "phyx/report/sections.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "phyx/problem.hpp"
#include "phyx/report/charts.hpp"
#include "phyx/report/conditions.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/figures.hpp"
#include "phyx/report/html.hpp"
#include "phyx/results/csv.hpp"

namespace gaze::phyx::report {

namespace {

Mark mark_of(const ResultRow* r, const std::string& what) {
  if (!r) return {};
  return {r->value, r->low, r->high,
          r->condition + ", " + what + ": " + percent_text(*r) + ", " + std::to_string(r->n) +
              " problems"};
}

/// The end of a shared accuracy axis: the maximum of all values, rounded up to ten percent.
double axis_end(const Context& c, const std::string& kind) {
  double high = 0.1;
  for (const auto& r : c.data.results)
    if (r.seed == "all" && r.split != "all" && r.slice_kind == kind &&
        r.metric.rfind("accuracy_", 0) == 0 && r.metric.find("parsed") == std::string::npos)
      high = std::max(high, r.high);
  return std::min(1.0, std::ceil(high * 10) / 10);
}

/// A small chart of sampled accuracy by condition on one slice of the known templates.
std::string slice_panel(const Context& c, const std::string& format, const std::string& kind,
                        const std::string& slice, double end) {
  RowChart chart;
  chart.high = end;
  chart.title = "Sampled accuracy by condition: " + slice + ", " + format;
  chart.axis = "accuracy, sampled (%)";
  std::int64_t n = 0;
  for (const auto& condition : c.conditions) {
    const auto* r = c.results.find(condition, "accuracy_sampled", "known", format, kind, slice);
    if (r) n = r->n;
    chart.rows.push_back({condition, c.style(condition), {mark_of(r, slice)}});
  }
  if (n == 0) return "";
  return figure(slice + " (" + std::to_string(n) + " problems)", draw(chart));
}

template <class Names>
std::string slice_panels(const Context& c, const std::string& kind, const Names& names) {
  std::string out = "<div class=\"tabs\">\n";
  const double end = axis_end(c, kind);
  for (const char* format : {"all", "MC", "OE"}) {
    std::string panels;
    for (const char* name : names) panels += slice_panel(c, format, kind, name, end);
    if (panels.empty()) continue;
    const std::string label = std::string(format) == "all"  ? "Both forms"
                              : std::string(format) == "MC" ? "Multiple choice"
                                                            : "Open-ended";
    out += "<div data-tab=\"" + label + "\"><h3>" + label + "</h3><div class=\"grid\">\n" + panels +
           "</div></div>\n";
  }
  return out + "</div>\n";
}

/// Sampled (filled) and greedy (open) accuracy of every condition on one form.
Figure overall_dots(const Context& c, const std::string& split, const std::string& format,
                    const std::string& name, const std::string& heading) {
  RowChart chart;
  chart.title = heading + ": sampled and greedy accuracy by condition";
  chart.axis = "accuracy (%)";
  chart.dots = true;
  chart.high = axis_end(c, "overall");
  bool any = false;
  for (const auto& condition : c.conditions) {
    const auto* sampled = c.results.find(condition, "accuracy_sampled", split, format);
    const auto* greedy = c.results.find(condition, "accuracy_greedy", split, format);
    any = any || sampled || greedy;
    chart.rows.push_back(
        {condition, c.style(condition), {mark_of(sampled, "sampled"), mark_of(greedy, "greedy")}});
  }
  return {name, heading, any ? draw(chart) : ""};
}

Figure pass_figure(const Context& c, const std::string& format, const std::string& heading) {
  LineChart chart{heading + ": pass@k by condition", "samples k", "", {}, true, true, 520, 260};
  Figure out{"pass-" + format, heading + ": solved by one of k samples (%)", ""};
  for (const auto& condition : c.conditions) {
    Series s{condition, c.style(condition), {}, false};
    for (int k = 1; k <= 1024; ++k)
      if (const auto* r = c.results.find(condition, "pass@" + std::to_string(k), "known", format);
          r && drawable(r->value * 100))
        s.points.emplace_back(k, r->value * 100);
    if (s.points.empty()) continue;
    out.conditions.push_back(condition);
    chart.series.push_back(std::move(s));
  }
  if (!chart.series.empty()) out.chart = draw(chart);
  return out;
}

/// Three bars per condition: normal, blanked and swapped picture.
std::string image_chart(const Context& c, const std::string& suffix, const char* need,
                        const std::string& heading) {
  const std::string with = suffix.empty() ? "accuracy_sampled" : "accuracy_greedy";
  RowChart chart;
  chart.title = heading + ": accuracy with the picture, blanked and swapped";
  chart.axis = suffix.empty() ? "accuracy, sampled (%)" : "accuracy, greedy (%)";
  chart.width = 460;
  chart.high = axis_end(c, "needs_image");
  bool any = false;
  for (const auto& condition : c.conditions) {
    const auto find = [&](const std::string& metric) {
      return c.results.find(condition, metric, "known", "all", "needs_image", need);
    };
    const auto *blank = find("accuracy_blank" + suffix), *swap = find("accuracy_swapped" + suffix);
    any = any || blank || swap;
    chart.rows.push_back({condition,
                          c.style(condition),
                          {mark_of(find(with), "with the picture"), mark_of(blank, "blanked"),
                           mark_of(swap, "swapped")}});
  }
  return any ? figure(heading, draw(chart)) : "";
}

/// Accuracy with the own picture minus that with a swapped one, by condition, and the differences
/// to the warm start; "" if nothing was swapped.
std::string own_minus_swapped_table(const Context& c, const std::string& suffix) {
  const std::string metric = "accuracy_own_minus_swapped" + suffix;
  const auto cell = [](const ResultRow* r) {
    return tag("td", "",
               r ? signed_points(r->value) + "<small>" + interval_note(*r) + "</small>" : "–");
  };
  std::string rows;
  for (const auto& condition : c.conditions) {
    const auto* r = c.results.find(condition, metric, "known");
    if (!r) continue;
    rows += "<tr>" + condition_header(c, condition) + cell(r) +
            cell(c.results.find(condition, metric + "_vs_" + c.data.start, "known")) +
            tag("td", "", std::to_string(r->n)) + "</tr>\n";
  }
  if (rows.empty()) return "";
  return "<h3>Own picture minus swapped picture</h3>\n" +
         paragraph(
             "The gain in accuracy from the own picture, in points, on the problems that "
             "have a partner: another picture of the same template with another answer. "
             "0: the picture is not used.") +
         "<div class=\"scroll\"><table><thead><tr><th>Condition</th><th>Own − swapped</th>"
         "<th>Above the warm start</th><th>Problems</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

}  // namespace

std::vector<Figure> overview_figures(const Context& c) {
  return {overall_dots(c, "known", "MC", "accuracy-MC", "Multiple choice, known"),
          overall_dots(c, "known", "OE", "accuracy-OE", "Open-ended, known"),
          overall_dots(c, "new", "all", "accuracy-new", "Templates never trained on")};
}

std::vector<Figure> pass_figures(const Context& c) {
  return {pass_figure(c, "MC", "Multiple choice"), pass_figure(c, "OE", "Open-ended")};
}

std::string overview_section(const Context& c) {
  std::string body = paragraph(
      "Filled dots: sampled answers. Open dots: greedy answers. Lines: 95&nbsp;% intervals. If "
      "only "
      "the filled dot moves, the model samples its likeliest answers more often, as at a lower "
      "temperature. If the open dot moves too, its likeliest answers changed; whether they are "
      "answers that it could not sample before is a question for pass@k.");
  body += "<div class=\"grid\">\n" + page_figures(overview_figures(c)) + "</div>\n";
  return section("overview", "Accuracy at a glance", body);
}

std::string breakdown_section(const Context& c) {
  std::string body = paragraph(
      "Sampled accuracy on known templates. A problem with several reasoning types counts in "
      "each.");
  body += "<h3>By reasoning type</h3>\n" + slice_panels(c, "reasoning", reasoning_types);
  body += "<h3>By domain</h3>\n" + slice_panels(c, "domain", domains);
  return section("breakdown", "By reasoning type and domain", body);
}

std::string image_section(const Context& c) {
  std::string charts, table;
  for (const char* suffix : {"", "_greedy"}) {
    charts += image_chart(c, suffix, "yes", "Problems that need the picture");
    charts += image_chart(c, suffix, "no", "Problems answerable from the text alone");
    table = own_minus_swapped_table(c, suffix);
    if (!charts.empty()) break;
  }
  if (charts.empty())
    return section("picture", "Does it use the picture?",
                   missing("Accuracy without the picture was not measured."));
  return section(
      "picture", "Does it use the picture?",
      paragraph("Each condition with the picture (dark), with an empty one (middle) and "
                "with the picture of another problem of the same template (pale). A model "
                "that uses the picture gets worse without it. The bars of swapped pictures are of "
                "the problems that have a partner; the table compares like with like.") +
          "<div class=\"grid wide\">\n" + charts + "</div>\n" + table);
}

std::string pass_section(const Context& c) {
  const std::string charts = page_figures(pass_figures(c));
  if (charts.empty())
    return section("passk", "One sample or many", missing("No problem was sampled."));
  return section("passk", "One sample or many",
                 paragraph("Percentage of problems solved by at least one of k samples (pass@k). A "
                           "reward that only sharpens the distribution raises the left end of the "
                           "line but not the right end.") +
                     legend(legend_entries(c, c.conditions)) + "<div class=\"grid wide\">\n" +
                     charts + "</div>\n");
}

}  // namespace gaze::phyx::report
