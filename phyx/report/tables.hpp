// SPDX-License-Identifier: MIT
// The report's tables: accuracy and behaviour by condition, differences to the warm start, and the
// comparison with the study.
#pragma once
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "phyx/report/context.hpp"

namespace gaze::phyx::report {

namespace detail {

struct TableColumn {
  const char* heading;
  const char* metric;
  const char* split;
  const char* format;
  bool tokens = false;  // a count of tokens, not a share
};

inline std::string number_cell(const ResultRow* r, bool tokens) {
  if (!r || !tokens) return percent_cell(r);
  return fixed(r->value, 1) + "<small>" + fixed(r->low, 1) + " to " + fixed(r->high, 1) +
         "</small>";
}

/// The best value of each column is bold where better is more.
inline double column_best(const Context& c, const TableColumn& column) {
  double best = -1;
  for (const auto& condition : c.conditions)
    if (const auto* r = c.results.find(condition, column.metric, column.split, column.format))
      best = std::max(best, r->value);
  return best;
}

inline std::string condition_table(const Context& c, const std::vector<TableColumn>& columns,
                                   bool mark_best) {
  std::string out = "<div class=\"scroll\"><table><thead><tr><th>Condition</th><th>Seeds</th>";
  std::vector<double> best;
  for (const auto& column : columns) {
    out += tag("th", "scope=\"col\"", escape(column.heading));
    best.push_back(column_best(c, column));
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& condition : c.conditions) {
    out += "<tr>" + condition_header(condition) +
           tag("td", "", std::to_string(c.seed_count(condition)));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto* r =
          c.results.find(condition, columns[i].metric, columns[i].split, columns[i].format);
      const bool bold = mark_best && r && r->value == best[i];
      out += tag("td", bold ? "class=\"best\"" : "", number_cell(r, columns[i].tokens));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

/// A slice on which conditions are compared; an empty slice is a heading between groups.
struct HeatRow {
  std::string label, split, format, kind, slice;
};

/// Overall, by form, novelty and need of the picture; then reasoning types and domains.
inline std::vector<HeatRow> heat_rows() {
  std::vector<HeatRow> out = {{"all problems", "known", "all", "overall", "all"},
                              {"multiple choice", "known", "MC", "overall", "all"},
                              {"open-ended", "known", "OE", "overall", "all"},
                              {"the picture is needed", "known", "all", "needs_image", "yes"},
                              {"the text alone decides", "known", "all", "needs_image", "no"},
                              {"templates never trained on", "new", "all", "overall", "all"}};
  out.push_back({"By reasoning type", "", "", "", ""});
  for (const char* r : reasoning_types) out.push_back({r, "known", "all", "reasoning", r});
  out.push_back({"By domain", "", "", "", ""});
  for (const char* d : domains) out.push_back({d, "known", "all", "domain", d});
  return out;
}

/// Blue for gain, orange for loss; full strength, the style sheet's class s14, at 25 points.
inline std::string heat_cell(const ResultRow* r) {
  if (!r) return "<td class=\"unsure none\">–</td>";
  const bool sure = r->low > 0 || r->high < 0;
  const int strength = int(std::min(14.0, std::round(std::fabs(r->value) * 56)));
  return "<td class=\"" + std::string(sure ? "sure" : "unsure") +
         (r->value < 0 ? " loss" : " gain") + " s" + std::to_string(strength) + "\" title=\"" +
         signed_points(r->low) + " to " + signed_points(r->high) + " points, " +
         std::to_string(r->n) + " problems\">" + signed_points(r->value) + "</td>";
}

inline std::string heat_table(const Context& c, const std::string& metric) {
  std::string out = "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th></th>";
  std::vector<std::string> conditions;
  for (const auto& condition : c.conditions)
    if (condition != "sft") conditions.push_back(condition);
  for (const auto& condition : conditions)
    out += "<th scope=\"col\" class=\"" + condition_class(condition) + "\"><i></i>" +
           escape(condition) + "</th>";
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

}  // namespace detail

/// Accuracy of every condition, then how it answers.
inline std::string tables_section(const Context& c) {
  static const std::vector<detail::TableColumn> accuracy = {
      {"Sampled, known", "accuracy_sampled", "known", "all"},
      {"MC", "accuracy_sampled", "known", "MC"},
      {"OE", "accuracy_sampled", "known", "OE"},
      {"Sampled, new", "accuracy_sampled", "new", "all"},
      {"Greedy, known", "accuracy_greedy", "known", "all"},
      {"MC", "accuracy_greedy", "known", "MC"},
      {"OE", "accuracy_greedy", "known", "OE"},
      {"Greedy, new", "accuracy_greedy", "new", "all"}};
  static const std::vector<detail::TableColumn> behaviour = {
      {"Sampled, among parseable", "accuracy_parsed_sampled", "known", "all"},
      {"Official score, sampled", "official_sampled", "known", "all"},
      {"Format kept", "format_sampled", "known", "all"},
      {"Principle named", "principle", "known", "all"},
      {"Unit consistent", "unit", "known", "all"},
      {"Attention on image", "attention_image", "known", "all"},
      {"Truncated", "truncated", "known", "all"},
      {"Length (tokens)", "length", "known", "all", true}};
  std::string body = paragraph(
      "Percent of test problems answered right by the strict rules, with 95&nbsp;% intervals. "
      "“Known”: "
      "held-out values and layouts of templates seen in training. “New”: templates never trained "
      "on. The best of each column is bold, which is not to say that it differs from the next.");
  body += detail::condition_table(c, accuracy, true);
  body += "<h3>How they answer</h3>\n" +
          paragraph("The same problems (known templates): percent, and tokens in the last column.");
  body += detail::condition_table(c, behaviour, false);
  return section("table", "Accuracy and behaviour", body);
}

/// Paired differences to the warm start, sampled and greedy.
inline std::string differences_section(const Context& c) {
  std::string body = paragraph(
      "Percentage points above (blue) or below (orange) the warm start <b>sft</b> on the same "
      "problems. Bold: the 95&nbsp;% interval excludes 0. Grey figures may be chance; point at a "
      "cell "
      "for its interval. Known templates, unless the row says "
      "otherwise.");
  body += "<h3>Sampled answers</h3>\n" + detail::heat_table(c, "accuracy_sampled_vs_sft");
  body += "<h3>Greedy answers</h3>\n" + detail::heat_table(c, "accuracy_greedy_vs_sft");
  return section("differences", "Differences to the warm start", body);
}

/// What the study found, what this run found.
inline std::string findings_section(const Context& c) {
  std::string study, own;
  for (const auto& f : judge_findings(c.data.results)) {
    const char* verdict_class = f.verdict == Agreement::agree ? "agree"
                                : f.verdict == Agreement::no  ? "no"
                                                              : "undecided";
    const std::string source = f.own ? "" : "<small>" + escape(f.source) + "</small>";
    (f.own ? own : study) +=
        "<tr>" + tag("td", "", escape(f.claim) + source) + tag("td", "", escape(f.here)) +
        tag("td", std::string("class=\"verdict ") + verdict_class + "\"", escape(verdict_text(f))) +
        "</tr>\n";
  }
  const auto table = [](const char* first, const char* last, const std::string& rows) {
    return "<div class=\"scroll\"><table class=\"words\"><thead><tr><th>" + std::string(first) +
           "</th><th>This run found</th><th>" + last + "</th></tr></thead><tbody>\n" + rows +
           "</tbody></table></div>\n";
  };
  std::string body = paragraph(
      "The study: “Reward Design for Physical Reasoning in Vision-Language Models”, arXiv "
      "2604.13993. The verdict follows from 95&nbsp;% intervals alone, on held-out problems of "
      "known "
      "templates and sampled answers: a claim of more or less is decided only when the interval "
      "excludes 0; a claim of no gain or no loss agrees only when the interval stays within 3 "
      "points. Everything else is undecided. A figure that is a difference is in percentage "
      "points.");
  body += table("The study found", "Does it agree?", study);
  body += "<h3>This project's own questions</h3>\n" + table("Question", "Answer", own);
  return section("findings", "The study and this run", body);
}

}  // namespace gaze::phyx::report
