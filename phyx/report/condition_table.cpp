// SPDX-License-Identifier: MIT
// Cells, and the best value of each column.
#include "phyx/report/condition_table.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "phyx/report/context.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/results/csv.hpp"

namespace gaze::phyx::report {

namespace {

std::string number_cell(const ResultRow* r, bool tokens) {
  if (!r || !tokens) return percent_cell(r);
  return fixed(r->value, 1) + "<small>[" + fixed(r->low, 1) + ", " + fixed(r->high, 1) +
         "]</small>";
}

/// The highest value of a column; nothing if all are equal.
std::optional<double> column_best(const Context& c, const TableColumn& column) {
  std::set<double> values;
  for (const auto& condition : c.conditions)
    if (const auto* r = column.find(c, condition)) values.insert(r->value);
  if (values.size() < 2) return {};
  return *values.rbegin();
}

}  // namespace

std::string condition_table(const Context& c, const std::vector<TableColumn>& columns,
                            bool mark_best) {
  std::string out = "<div class=\"scroll\"><table><thead><tr><th>Condition</th><th>Seeds</th>";
  std::vector<std::optional<double>> best;
  for (const auto& column : columns) {
    out += tag("th", "scope=\"col\"", escape(column.heading));
    best.push_back(column_best(c, column));
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& condition : c.conditions) {
    out += "<tr>" + condition_header(c, condition) +
           tag("td", "", std::to_string(c.seed_count(condition)));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto* r = columns[i].find(c, condition);
      const bool bold = mark_best && r && r->value == best[i];
      out += tag("td", bold ? "class=\"best\"" : "", number_cell(r, columns[i].tokens));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace gaze::phyx::report
