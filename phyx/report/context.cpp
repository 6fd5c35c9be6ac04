// SPDX-License-Identifier: MIT
// Indexing a run's data, and formatting shared cells.
#include "phyx/report/context.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/report/conditions.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/run_name.hpp"

namespace gaze::phyx::report {

Context::Context(const RunData& d) : data(d), results(d.results) {
  std::set<std::string> tested, seen;
  for (const auto& r : d.results) {
    tested.insert(r.condition);
    if (r.slice_kind == "layout_only" && r.slice != "all") layout_only.insert(r.slice);
    if (r.seed != "all") seeds.insert({r.condition, r.seed});
  }
  seen = tested;
  for (const auto& m : d.metrics)
    if (!m.condition.empty()) seen.insert(m.condition);
  for (const auto& c : d.completions)
    if (!c.condition.empty()) seen.insert(c.condition);
  GAZE_CHECK(seen.size() <= most_conditions, "report", d.folders.empty() ? "" : d.folders[0], ": ",
             seen.size(), " conditions; a page shows at most ", most_conditions);
  for (const auto& m : d.metrics) metrics[m.condition].push_back(&m);
  for (const auto& name : ordered_conditions(tested)) {
    const std::string from = tempered_from(name);
    (!from.empty() && tested.contains(from) ? tempered : conditions).push_back(name);
  }
  all_conditions = ordered_conditions(seen);
  std::vector<std::string> named = all_conditions;
  for (const auto& declared : declared_conditions(d.configs)) named.push_back(declared.first);
  styles = condition_classes(named);
}

std::size_t Context::seed_count(const std::string& condition) const {
  const auto first = seeds.lower_bound({condition, ""});
  const auto other = [&](const auto& s) { return s.first != condition; };
  return static_cast<std::size_t>(std::distance(first, std::find_if(first, seeds.end(), other)));
}

const std::string& Context::style(const std::string& condition) const {
  static const std::string none = "cx";
  const auto found = styles.find(condition);
  return found == styles.end() ? none : found->second;
}

std::string percent_cell(const ResultRow* r) {
  if (!r) return "–";
  return percent(r->value) + "<small>[" + percent(r->low) + ", " + percent(r->high) + "]</small>";
}

std::string percent_text(const ResultRow& r) {
  return percent(r.value) + "\u00a0% [" + percent(r.low) + ", " + percent(r.high) + "]";
}

std::string condition_header(const Context& c, const std::string& name) {
  return "<th scope=\"row\" class=\"" + c.style(name) + "\"><i></i>" + escape(name) + "</th>";
}

std::vector<std::pair<std::string, std::string>> legend_entries(
    const Context& c, const std::vector<std::string>& conditions) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& name : conditions) out.emplace_back(name, c.style(name));
  return out;
}

}  // namespace gaze::phyx::report
