// SPDX-License-Identifier: MIT
// The strict and the official score: how often they differ, with examples.
#include "phyx/report/sections.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include "phyx/report/condition_table.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/run_data.hpp"

namespace gaze::phyx::report {

namespace {

/// Answers of one kind, taken from the conditions in turn.
std::vector<const DifferingAnswer*> pick_differing(const Context& c, bool strict) {
  std::vector<const DifferingAnswer*> out;
  for (std::size_t turn = 0; turn < differing_shown; ++turn)
    for (const auto& condition : c.all_conditions) {
      std::size_t count = 0;
      for (const auto& d : c.data.differing)
        if (d.condition == condition && d.strict == strict && count++ == turn) out.push_back(&d);
      if (out.size() >= differing_shown) {
        out.resize(differing_shown);
        return out;
      }
    }
  return out;
}

std::string differing_rows(const Context& c, bool strict) {
  std::string out;
  for (const auto* d : pick_differing(c, strict))
    out += "<tr>" + tag("td", "", escape(strict ? "strict" : "official")) +
           tag("td", "", escape(d->condition)) + tag("td", "", escape(d->form)) +
           tag("td", "", escape(d->answer)) + tag("td", "class=\"text\"", escape(d->text)) +
           "</tr>\n";
  return out;
}

}  // namespace

std::string two_rules_section(const Context& c) {
  static const std::vector<TableColumn> columns = {
      {"Strict, sampled", "accuracy_sampled", "known", "all"},
      {"Official, sampled", "official_sampled", "known", "all"},
      {"They differ, sampled", "rules_differ_sampled", "known", "all"},
      {"MC", "rules_differ_sampled", "known", "MC"},
      {"OE", "rules_differ_sampled", "known", "OE"},
      {"They differ, greedy", "rules_differ_greedy", "known", "all"}};
  std::string body = paragraph(
      "Percentage of answers that are right by this project's strict rule and by PhyX's official "
      "one (known templates), and of answers on which they differ. The official rule accepts any "
      "reply that contains the text of the truth, and does not recognise a bare letter; see "
      "docs/scoring.md.");
  body += condition_table(c, columns, false);
  const std::string rows = differing_rows(c, true) + differing_rows(c, false);
  if (rows.empty()) return section("rules", "Strict and official score", body);
  body +=
      "<h3>Answers on which they differ</h3>\n<div class=\"scroll\"><table class=\"words "
      "differing\">"
      "<thead><tr><th>Right only by</th><th>Condition</th><th>Form</th><th>Truth</th>"
      "<th>Greedy answer</th></tr></thead><tbody>\n" +
      rows + "</tbody></table></div>\n";
  return section("rules", "Strict and official score", body);
}

}  // namespace gaze::phyx::report
