// SPDX-License-Identifier: MIT
// Selecting rows, and tables in Markdown.
#include "phyx/report/publish.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/json.hpp"
#include "phyx/report/condition_table.hpp"
#include "phyx/report/conditions.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/figures.hpp"
#include "phyx/report/findings.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/results/claims.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/run_name.hpp"

namespace gaze::phyx::report {

namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

/// What is kept of the slices of a kind, besides the rows that claims need: both forms apart, all
/// metrics or accuracy and its differences alone, single seeds (of accuracy and its difference to
/// the warm start).
struct KeptSlices {
  std::string_view kind;
  bool forms, all_metrics, seeds;
};

constexpr std::array<KeptSlices, 6> kept_slices = {{{"overall", true, true, true},
                                                    {"needs_image", false, true, false},
                                                    {"reasoning", false, false, false},
                                                    {"domain", false, false, false},
                                                    {"template", false, false, true},
                                                    {"layout_only", false, false, false}}};

/// The row selection of a published results.csv.
class PublishedRows {
 public:
  explicit PublishedRows(const RunData& data)
      : difference_("_vs_" + data.start),
        has_known_(std::any_of(data.results.begin(), data.results.end(),
                               [](const ResultRow& r) { return r.split == "known"; })) {
    for (const Claim& c : data.claims)
      declared_.insert(
          {c.condition, difference_metric(c), c.slice.split, c.slice.format, c.slice.kind});
  }

  bool operator()(const ResultRow& r) const {
    if (declared_.contains({without_point(r.condition), r.metric, r.split, r.format, r.slice_kind}))
      return true;
    const auto kept = std::find_if(kept_slices.begin(), kept_slices.end(),
                                   [&](const KeptSlices& k) { return k.kind == r.slice_kind; });
    if (kept == kept_slices.end() || !in_split(r)) return false;
    if (r.format != "all" && !(kept->forms && r.split != "new")) return false;
    if (r.seed != "all") return kept->seeds && is_accuracy(r) && !is_other_difference(r);
    return kept->all_metrics || is_accuracy(r);
  }

 private:
  /// Templates are known or new as a whole; of all else, the two together say nothing.
  bool in_split(const ResultRow& r) const {
    const bool whole = is_one_of(r.slice_kind, {"template", "layout_only"});
    return (r.split == "all") == (whole || !has_known_);
  }
  bool is_accuracy(const ResultRow& r) const {
    return r.metric.starts_with("accuracy_sampled") || r.metric.starts_with("accuracy_greedy");
  }
  bool is_other_difference(const ResultRow& r) const {
    return r.metric.find("_vs_") != r.metric.npos && !r.metric.ends_with(difference_);
  }

  std::string difference_;
  bool has_known_;  // else claims are decided on all problems
  std::set<std::array<std::string, 5>> declared_;
};

// ---- tables

using Cells = std::vector<std::string>;

/// Text for a cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (is_one_of(std::string_view(&c, 1), {"|", "<", "`", "*", "\\"})) out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string markdown(const Cells& heading, const std::vector<Cells>& rows) {
  const auto line = [](const Cells& cells) {
    std::string out = "|";
    for (const auto& text : cells) out += " " + cell(text) + " |";
    return out + "\n";
  };
  std::string out = line(heading) + "|";
  for (std::size_t i = 0; i < heading.size(); ++i) out += "---|";
  out += "\n";
  for (const Cells& row : rows) out += line(row);
  return out;
}

std::string interval(const ResultRow* r, double scale, int digits) {
  if (!r) return "–";
  const auto number = [&](double v) { return fixed(v * scale, digits); };
  return number(r->value) + " [" + number(r->low) + ", " + number(r->high) + "]";
}

/// Rows of conditions, in percent; columns that no condition has are left out.
std::string percent_table(const Context& c, const std::vector<std::string>& names,
                          std::vector<TableColumn> columns) {
  std::erase_if(columns, [&](const TableColumn& k) {
    return std::none_of(names.begin(), names.end(), [&](const auto& n) { return k.find(c, n); });
  });
  Cells heading = {"condition"};
  for (const TableColumn& k : columns) heading.emplace_back(k.heading);
  std::vector<Cells> rows;
  for (const auto& name : names) {
    Cells& row = rows.emplace_back(Cells{name});
    for (const TableColumn& k : columns) row.push_back(interval(k.find(c, name), 100, 1));
  }
  return markdown(heading, rows);
}

std::string accuracy_table(const Context& c) {
  constexpr const char* sampled = "accuracy_sampled";
  std::vector<std::string> names = c.conditions;
  names.insert(names.end(), c.tempered.begin(), c.tempered.end());
  return percent_table(
      c, names,
      {{"sampled", sampled},
       {"greedy", "accuracy_greedy"},
       {.heading = "MC, sampled", .metric = sampled, .format = "MC"},
       {.heading = "OE, sampled", .metric = sampled, .format = "OE"},
       {.heading = "spatial, sampled",
        .metric = sampled,
        .kind = "reasoning",
        .slice = "Spatial Relation Reasoning"},
       {.heading = "text alone, sampled", .metric = sampled, .kind = "needs_image", .slice = "no"},
       {.heading = "new templates, sampled", .metric = sampled, .split = "new"}});
}

std::string behaviour_table(const Context& c) {
  return percent_table(c, c.conditions,
                       {{"well-formed", "format_sampled"},
                        {"principle, if well-formed", "principle_well_formed"},
                        {"look facts right", "look_right"},
                        {"look score", "look_score"},
                        {"greedy after the gold look", "accuracy_gold_look_greedy"},
                        {"own − swapped picture", "accuracy_own_minus_swapped"},
                        {"own − swapped, greedy", "accuracy_own_minus_swapped_greedy"},
                        {"all samples right", "groups_all_right"},
                        {"all samples wrong", "groups_all_wrong"}});
}

/// pass@k, "" if no problem was sampled.
std::string pass_table(const Context& c) {
  Cells heading = {"condition"};
  std::vector<std::pair<std::string, std::string>> columns;  // metric and format
  for (const char* format : {"MC", "OE"})
    for (int k = 1; k <= 1024; ++k) {
      const std::string metric = "pass@" + std::to_string(k);
      const auto has = [&](const auto& name) {
        return c.results.find(name, metric, "known", format);
      };
      if (std::none_of(c.conditions.begin(), c.conditions.end(), has)) continue;
      heading.push_back(metric + ", " + format);
      columns.emplace_back(metric, format);
    }
  if (columns.empty()) return "";
  std::vector<Cells> rows;
  for (const auto& name : c.conditions) {
    Cells& row = rows.emplace_back(Cells{name});
    for (const auto& [metric, format] : columns)
      row.push_back(interval(c.results.find(name, metric, "known", format), 100, 1));
  }
  return "\n## pass@k, percent\n\n" + markdown(heading, rows);
}

/// The rewards of each condition: at the warm start, the change, and the correlation with
/// correctness at the warm start; "" if no condition has any.
std::string paid_table(const Context& c) {
  std::vector<Cells> rows;
  for (const auto& p : paid_rewards(c)) {
    const std::string start = c.data.start + grid_point(p.condition);
    const auto* before = c.results.find(start, p.metric, "known");
    if (!before) continue;
    rows.push_back(
        {p.condition, p.what, interval(before, 1, 2),
         interval(c.results.find(p.condition, p.metric + "_vs_" + c.data.start, "known"), 1, 3),
         interval(c.results.find(start, p.metric + "_correctness", "known"), 1, 2)});
  }
  if (rows.empty()) return "";
  return "\n## Rewards: at the warm start, change, correlation with correctness\n\n" +
         markdown({"condition", "paid for", "warm start", "change", "correlation"}, rows);
}

std::string claims_table(const Context& c) {
  std::vector<Cells> rows;
  for (const Finding& f : decide_findings(c.data.results, c.data.claims))
    rows.push_back(
        {f.id + (f.point.empty() ? "" : ", " + f.point), f.claim, f.here, agreement_text(f)});
  if (rows.empty()) return "";
  return "\n## Declared claims\n\n" + markdown({"claim", "text", "found", "verdict"}, rows);
}

/// The beginning of tables.md, by which a published folder is known.
constexpr std::string_view tables_start = "# Tables\n\nWritten by `gaze report --publish`";

std::string tables(const Context& c) {
  return std::string(tables_start) +
         " from results.csv: held-out problems of known templates unless stated otherwise, percent "
         "and 95 % intervals.\n\n## Accuracy\n\n" +
         accuracy_table(c) + "\n## How they answer\n\n" + behaviour_table(c) + pass_table(c) +
         paid_table(c) + claims_table(c);
}

/// Names of the figures, and of the folders of several configurations, "run001".
bool is_own_figure(const std::string& name) {
  return name.ends_with(".svg") && (name == "claims.svg" || name.starts_with("accuracy-") ||
                                    name.starts_with("pass-") || name.starts_with("temperature-"));
}
bool is_run_folder(const std::string& name) {
  return name.starts_with("run") && name.size() > 3 &&
         name.find_first_not_of("0123456789", 3) == name.npos;
}

/// Removes the files of an earlier publication, which might have had other runs and figures, and
/// nothing else.
void remove_published(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<fs::path> own;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && is_run_folder(name)) {
      own.push_back(entry.path() / "config.json");
      own.push_back(entry.path());
    }
    if (is_own_figure(name) || is_one_of(name, {"config.json", "results.csv"}))
      own.push_back(entry.path());
  }
  std::error_code kept;  // a folder with other files stays
  for (const auto& path : own) fs::remove(path, kept);
}

/// config.json, or those of several runs in run001, run002, …, in their order.
void write_configs(const std::vector<io::Json>& configs, const std::string& folder) {
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    const std::string run =
        configs.size() == 1
            ? ""
            : "run" + std::string(3 - std::min<std::size_t>(3, number.size()), '0') + number + "/";
    io::make_folders(folder + "/" + run);
    io::write_file(folder + "/" + run + "config.json",
                   io::dump_json(configs[i], "config.json", 2) + "\n");
  }
}

}  // namespace

bool is_published(const std::string& folder) {
  const std::string path = folder + "/tables.md";
  return std::filesystem::exists(path) && io::read_file(path).starts_with(tables_start);
}

void publish(const RunData& run, const std::string& folder) {
  RunData data = run;
  data.results.clear();
  std::copy_if(run.results.begin(), run.results.end(), std::back_inserter(data.results),
               PublishedRows(run));
  // Tables and verdicts are those of the rounded numbers, so that reading them again changes none.
  data.results = results_from_csv(results_to_csv(data.results), "results.csv");
  const Context c(data);
  io::make_folders(folder);
  remove_published(folder);
  io::write_file(folder + "/tables.md", tables(c));  // first: the mark of such a folder
  write_configs(data.configs, folder);
  write_results(folder + "/results.csv", data.results);
  for (const auto& figures : {std::vector{claims_figure(c)}, overview_figures(c), pass_figures(c),
                              temperature_figures(c)})
    for (const auto& f : figures)
      if (!f.chart.empty()) io::write_file(folder + "/" + f.name + ".svg", svg_file(c, f));
}

}  // namespace gaze::phyx::report
