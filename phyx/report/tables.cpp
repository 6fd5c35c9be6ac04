// SPDX-License-Identifier: MIT
// Tables: accuracy and behaviour by condition, differences to the warm start, and the comparison
// with the study.
#include "phyx/report/sections.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "phyx/problem.hpp"
#include "phyx/report/condition_table.hpp"
#include "phyx/report/conditions.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/figures.hpp"
#include "phyx/report/findings.hpp"
#include "phyx/report/html.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/decision.hpp"
#include "phyx/results/run_name.hpp"

namespace gaze::phyx::report {

namespace {

/// A slice for comparing conditions; an empty slice is a heading.
struct HeatRow {
  std::string label, split, format, kind, slice;
};

/// Overall, by form, by novelty, by need of the picture, then reasoning types and domains.
std::vector<HeatRow> heat_rows() {
  std::vector<HeatRow> out = {{"all problems", "known", "all", "overall", "all"},
                              {"multiple choice", "known", "MC", "overall", "all"},
                              {"open-ended", "known", "OE", "overall", "all"},
                              {"the picture is needed", "known", "all", "needs_image", "yes"},
                              {"the text alone is sufficient", "known", "all", "needs_image", "no"},
                              {"templates never trained on", "new", "all", "overall", "all"}};
  out.push_back({"By reasoning type", "", "", "", ""});
  for (const char* r : reasoning_types) out.push_back({r, "known", "all", "reasoning", r});
  out.push_back({"By domain", "", "", "", ""});
  for (const char* d : domains) out.push_back({d, "known", "all", "domain", d});
  return out;
}

/// Blue for gain, orange for loss; full strength, the style sheet's class s14, at 25 points.
std::string heat_cell(const ResultRow* r) {
  if (!r) return "<td class=\"unsure none\">–</td>";
  const bool sure = decide(interval_of(*r), 0) != Verdict::undecided;
  const int strength = int(std::min(14.0, std::round(std::fabs(r->value) * 56)));
  return "<td class=\"" + std::string(sure ? "sure" : "unsure") +
         (r->value < 0 ? " loss" : " gain") + " s" + std::to_string(strength) + "\" title=\"" +
         interval_note(*r) + ", " + std::to_string(r->n) + " problems\">" +
         signed_points(r->value) + "</td>";
}

std::string heat_table(const Context& c, const std::string& metric) {
  std::string out = "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th></th>";
  std::vector<std::string> conditions;
  for (const auto& condition : c.conditions)
    if (without_point(condition) != c.data.start) conditions.push_back(condition);
  for (const auto& condition : conditions)
    out += "<th scope=\"col\" class=\"" + c.style(condition) + "\"><i></i>" + escape(condition) +
           "</th>";
  out += "</tr></thead><tbody>\n";
  for (const auto& row : heat_rows()) {
    if (row.slice.empty()) {
      out += "<tr class=\"group\"><th colspan=\"" + std::to_string(conditions.size() + 1) + "\">" +
             escape(row.label) + "</th></tr>\n";
      continue;
    }
    out += "<tr>" + tag("th", "scope=\"row\"", escape(row.label));
    for (const auto& condition : conditions)
      out +=
          heat_cell(c.results.find(condition, metric, row.split, row.format, row.kind, row.slice));
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string tables_section(const Context& c) {
  static const std::vector<TableColumn> accuracy = {
      {"Sampled, known", "accuracy_sampled", "known", "all"},
      {"MC", "accuracy_sampled", "known", "MC"},
      {"OE", "accuracy_sampled", "known", "OE"},
      {"Sampled, new", "accuracy_sampled", "new", "all"},
      {"Greedy, known", "accuracy_greedy", "known", "all"},
      {"MC", "accuracy_greedy", "known", "MC"},
      {"OE", "accuracy_greedy", "known", "OE"},
      {"Greedy, new", "accuracy_greedy", "new", "all"}};
  static const std::vector<TableColumn> behaviour = {
      {"Sampled, among parseable", "accuracy_parsed_sampled", "known", "all"},
      {"Official score, sampled", "official_sampled", "known", "all"},
      {"Format kept", "format_sampled", "known", "all"},
      {"Principle named", "principle", "known", "all"},
      {"… if well-formed", "principle_well_formed", "known", "all"},
      {"Unit consistent", "unit", "known", "all"},
      {"Attention on image", "attention_image", "known", "all"},
      {"With a look section", "look_measured", "known", "all"},
      {"Look score, of these", "look_score", "known", "all"},
      {"Look facts right", "look_right", "known", "all"},
      {"All samples right", "groups_all_right", "known", "all"},
      {"All samples wrong", "groups_all_wrong", "known", "all"},
      {"Truncated", "truncated", "known", "all"},
      {"Length (tokens)", "length", "known", "all", true}};
  std::string body = paragraph(
      "Percentage of test problems answered right by the strict rule, with 95&nbsp;% intervals. "
      "“Known”: held-out values and layouts of templates seen in training. “New”: "
      "templates never trained on. The best value of each column is bold, even if it does not "
      "differ significantly.");
  body += condition_table(c, accuracy, true);
  body +=
      "<h3>How they answer</h3>\n" +
      paragraph(
          "On the same problems (known templates): percent; tokens in the last column. The look "
          "score is the mean over answers with a look section that was measured, so it is "
          "comparable only where their share is similar. “All samples”: share of problems "
          "whose samples are all right, or all wrong, from which GRPO on accuracy would "
          "learn nothing.");
  body += condition_table(c, behaviour, false);
  return section("table", "Accuracy and behaviour", body);
}

std::string differences_section(const Context& c) {
  std::string body = paragraph(
      "Percentage points above (blue) or below (orange) the warm start <b>" + escape(c.data.start) +
      "</b> on the same "
      "problems. Bold: the 95&nbsp;% interval excludes 0. Grey: may be due to chance. Point at a "
      "cell to see its interval. Known templates unless stated otherwise.");
  body += "<h3>Sampled answers</h3>\n" + heat_table(c, "accuracy_sampled_vs_" + c.data.start);
  body += "<h3>Greedy answers</h3>\n" + heat_table(c, "accuracy_greedy_vs_" + c.data.start);
  return section("differences", "Differences to the warm start", body);
}

std::string findings_section(const Context& c) {
  std::string study, own;
  bool grid = false;
  for (const auto& f : decide_findings(c.data.results, c.data.claims)) {
    grid = grid || !f.point.empty();
    const char* verdict_class = f.agreement == Agreement::agree ? "agree"
                                : f.agreement == Agreement::no  ? "no"
                                                                : "undecided";
    const std::string source = f.own ? "" : "<small>" + escape(f.source) + "</small>";
    const std::string point = f.point.empty() ? "" : "<small>" + escape(f.point) + "</small>";
    (f.own ? own : study) += "<tr>" + tag("td", "", escape(f.claim) + source + point) +
                             tag("td", "", escape(f.here)) +
                             tag("td", std::string("class=\"verdict ") + verdict_class + "\"",
                                 escape(agreement_text(f))) +
                             "</tr>\n";
  }
  const auto table = [](const char* first, const char* last, const std::string& rows) {
    return "<div class=\"scroll\"><table class=\"words\"><thead><tr><th>" + std::string(first) +
           "</th><th>This run found</th><th>" + last + "</th></tr></thead><tbody>\n" + rows +
           "</tbody></table></div>\n";
  };
  std::string body = paragraph(
      "The study: “Reward Design for Physical Reasoning in Vision-Language Models”, arXiv "
      "2604.13993. One rule decides every row, with the margin m declared for it: <i>above</i> if "
      "the 95&nbsp;% interval lies above +m, <i>below</i> if it lies below −m, <i>equivalent</i> "
      "if "
      "the 90&nbsp;% interval lies within ±m (two one-sided tests), <i>undecided</i> otherwise. A "
      "claim agrees if the verdict is the expected one; any other verdict refutes it. p-values are "
      "adjusted for the number of declared comparisons (Holm), measured or not, so an interval "
      "that excludes the margin can still be undecided. Differences are in percentage points, "
      "paired by scene and seed.");
  if (grid)
    body += paragraph(
        "The study is a grid: each claim is decided at every point, against the reference of the "
        "same point, and the correction is over all claims at all points. A verdict here is "
        "therefore stricter than in a point's own report, which corrects for its own claims "
        "alone.");
  if (c.data.claims.empty()) body += missing("The run declared no claims.");
  if (!study.empty()) body += table("The study found", "Does it agree?", study);
  if (!own.empty())
    body += "<h3>This project's own questions</h3>\n" + table("Question", "Answer", own);
  if (const std::string chart = page_figures({claims_figure(c)}); !chart.empty())
    body += paragraph(
                "Lines are 95&nbsp;% intervals before the correction, small circles single seeds, "
                "the band is the margin. Open dots are undecided.") +
            chart;
  return section("findings", "The study and this run", body);
}

}  // namespace gaze::phyx::report
