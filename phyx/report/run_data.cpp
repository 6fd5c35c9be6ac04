// SPDX-License-Identifier: MIT
// Finding, reading and merging a run's files.
#include "phyx/report/run_data.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/line_file.hpp"
#include "phyx/report/completion.hpp"
#include "phyx/report/json_fields.hpp"
#include "phyx/report/same_settings.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/results/summary.hpp"

namespace gaze::phyx::report {

namespace {

namespace fs = std::filesystem;

/// Files accepted by `wanted` in `folder` or, if there are none, in its subfolders, up to four
/// levels. Sorted by name, so that a report does not depend on the file system.
std::vector<fs::path> find_files(const fs::path& folder,
                                 const std::function<bool(const std::string&)>& wanted,
                                 int depth = 4) {
  std::vector<fs::path> files, folders, out;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const bool link = it->is_symlink(error);
    if (!link && it->is_regular_file(error) && wanted(it->path().filename().string()))
      files.push_back(it->path());
    else if (!link && it->is_directory(error))
      folders.push_back(it->path());
  }
  GAZE_CHECK(!error, "report", folder.string(), ": cannot be read: ", error.message());
  std::sort(files.begin(), files.end());
  std::sort(folders.begin(), folders.end());
  if (!files.empty() || depth == 0) return files;
  for (const auto& f : folders)
    for (auto& found : find_files(f, wanted, depth - 1)) out.push_back(std::move(found));
  return out;
}

std::vector<fs::path> find_files(const fs::path& folder, const std::string& name) {
  return find_files(folder, [&](const std::string& n) { return n == name; });
}

/// Calls `use(line, where)` for every line. A truncated last line (of a killed run) is skipped with
/// a note; any other malformed line is an error.
void read_log(const fs::path& path, std::vector<std::string>& notes,
              const std::function<void(const io::Json&, const std::string&)>& use) {
  io::LineFile in(path.string(), "report");
  for (std::string line; in.next(line);) {
    if (line.empty()) continue;
    const std::string where = in.where();
    io::Json value;
    try {
      value = io::parse_json(line, where);
    } catch (const Error&) {
      if (!in.last()) throw;
      notes.push_back(where + " is truncated and was ignored.");
      return;
    }
    GAZE_CHECK(value.is_object(), "report", where, ": not a JSON object");
    use(value, where);
  }
}

MetricLine metric_line(const io::Json& value, const std::string& where) {
  MetricLine m;
  m.condition = json_text(value, "condition", where);
  m.stage = json_text(value, "stage", where);
  m.seed = json_integer(value, "seed", where);
  for (const auto& [key, v] : value.items())
    if (v.is_number()) m.numbers[key] = v.get<double>();
  const auto step = m.numbers.find("step");
  GAZE_CHECK(step != m.numbers.end(), "report", where, ", step: missing or not a number");
  m.step = step->second;
  return m;
}

DifferingAnswer differing_answer(const io::Json& value, const std::string& where) {
  const auto correct = value.find("correct");
  GAZE_CHECK(correct != value.end() && correct->is_boolean(), "report", where,
             ", correct: not true or false");
  return {json_text(value, "condition", where), json_text(value, "index", where),
          json_text(value, "form", where),      json_text(value, "answer", where),
          json_text(value, "text", where),      correct->get<bool>()};
}

void check_settings(const std::vector<std::string>& folders) {
  std::vector<std::vector<std::string>> configs;
  for (const auto& folder : folders) {
    auto& paths = configs.emplace_back();
    for (const auto& p : find_files(folder, [](const std::string& name) {
           return name == "config.json" || name == "eval.json";
         }))
      paths.push_back(p.string());
  }
  check_same_settings(folders, configs);
}

using Configs = std::vector<std::pair<std::string, io::Json>>;  // by folder

Configs read_configs(const std::vector<std::string>& folders) {
  Configs out;
  for (const auto& folder : folders) {
    GAZE_CHECK(fs::is_directory(folder), "report", folder, ": not a folder");
    for (const auto& p : find_files(folder, "config.json"))
      out.emplace_back(p.parent_path().string(), io::read_json_object(p.string(), largest_config));
  }
  return out;
}

/// Stores the configurations, and the claims that they declare. All runs have the same settings.
void use_configs(Configs configs, RunData& data) {
  bool declared = false;
  for (auto& [folder, config] : configs) {
    if (!declared && config.contains("claims")) {
      declared = true;
      data.claims = claims_from_json(config["claims"], folder + "/config.json, claims");
    }
    data.start = io::json_text(config, "start", folder + "/config.json", data.start);
    data.configs.push_back(std::move(config));
  }
}

/// The k of pass@k in the configurations; empty: the default ones.
std::vector<int> pass_at(const std::vector<io::Json>& configs) {
  const io::Json::json_pointer path("/evaluation/k");
  for (const auto& config : configs)
    if (config.contains(path) && config.at(path).is_array()) {
      std::vector<int> out;
      for (const auto& k : config.at(path)) {
        GAZE_CHECK(k.is_number_integer() && k >= 1 && k <= 1024, "report",
                   "config.json, evaluation.k: ", k.dump(), " is not a number from 1 to 1024");
        out.push_back(k.get<int>());
      }
      return out;
    }
  return {};
}

/// Reads test results: from the outcomes if several folders are merged (only they can be pooled
/// correctly), else from results.csv.
void read_results_of(const std::vector<std::string>& folders, const GridLabels& label,
                     RunData& data) {
  const auto is_outcomes = [](const std::string& name) {
    return name.rfind("outcomes", 0) == 0 && name.size() > 6 &&
           name.compare(name.size() - 6, 6, ".jsonl") == 0;
  };
  std::vector<fs::path> tables, outcome_files;
  for (const auto& folder : folders) {
    for (auto& p : find_files(folder, "results.csv")) tables.push_back(std::move(p));
    for (auto& p : find_files(folder, is_outcomes)) outcome_files.push_back(std::move(p));
  }
  if (tables.size() == 1) {
    data.results = read_results(tables[0].string());
  } else if (!outcome_files.empty()) {
    Outcomes all;
    for (const auto& p : outcome_files) {
      OutcomeSet set = read_outcomes(p.string());
      const std::string name = set.condition + label(p.string());
      const bool fresh = all.try_emplace({name, set.seed}, std::move(set.outcomes)).second;
      if (!fresh)
        data.notes.push_back(p.string() + " repeats a condition and seed and was ignored.");
    }
    SummaryOptions options;
    options.start = data.start;
    options.claims = data.claims;
    options.pass_at = pass_at(data.configs);
    data.results = summarise(all, options);
  } else {
    for (const auto& p : tables)
      for (auto& row : read_results(p.string())) data.results.push_back(std::move(row));
    if (tables.size() > 1)
      data.notes.push_back(
          "Several results.csv without outcomes were concatenated: seeds are not pooled across "
          "folders, and the first folder's rows take precedence.");
  }
  if (data.results.empty())
    data.notes.push_back(
        "There are no test results yet (no results.csv, no outcomes): tables and charts of "
        "accuracy "
        "are omitted.");
}

void read_metrics(const std::string& folder, const GridLabels& label, RunData& data) {
  constexpr std::size_t most_lines = 1'000'000;  // a few GiB of memory
  for (const auto& p : find_files(folder, "metrics.jsonl"))
    read_log(p, data.notes, [&](const io::Json& v, const std::string& where) {
      GAZE_CHECK(data.metrics.size() < most_lines, "report", where, ": more than ", most_lines,
                 " lines of metrics");
      data.metrics.push_back(metric_line(v, where));
      data.metrics.back().condition += label(p.string());
    });
}

/// Number of answers by condition and by the rule that accepts them.
using DifferingCounts = std::map<std::pair<std::string, bool>, std::size_t>;

void read_differing(const std::string& folder, const GridLabels& label, RunData& data,
                    DifferingCounts& counts) {
  for (const auto& p : find_files(folder, "differing.jsonl"))
    read_log(p, data.notes, [&](const io::Json& v, const std::string& where) {
      auto answer = differing_answer(v, where);
      answer.condition += label(p.string());
      auto& count = counts[{answer.condition, answer.strict}];
      if (count++ < differing_shown) data.differing.push_back(std::move(answer));
    });
}

void read_completions(const std::string& folder, const GridLabels& label, RunData& data,
                      CompletionPicker& picker) {
  for (const auto& p : find_files(folder, "completions.jsonl"))
    read_log(p, data.notes, [&](const io::Json& v, const std::string& where) {
      Completion c = read_completion(v, where, p.parent_path().string(), folder);
      c.condition += label(p.string());
      picker.add(std::move(c));
    });
}

void note_gaps(RunData& data) {
  if (data.configs.empty()) data.notes.push_back("There is no config.json.");
  if (data.metrics.empty())
    data.notes.push_back("There is no metrics.jsonl: learning curves are omitted.");
  if (data.completions.empty())
    data.notes.push_back("There is no completions.jsonl: examples are omitted.");
}

}  // namespace

std::vector<ResultRow> merge_results(const std::vector<std::string>& folders) {
  RunData data;
  Configs configs = read_configs(folders);
  const GridLabels label(configs);
  use_configs(std::move(configs), data);
  read_results_of(folders, label, data);
  return std::move(data.results);
}

RunData read_runs(const std::vector<std::string>& folders) {
  GAZE_CHECK(!folders.empty(), "report", "no folder to report on");
  RunData data;
  data.folders = folders;
  check_settings(folders);
  Configs configs = read_configs(folders);
  const GridLabels label(configs);
  use_configs(std::move(configs), data);
  read_results_of(folders, label, data);
  CompletionPicker picker;
  DifferingCounts differing;
  for (const auto& folder : folders) {
    read_metrics(folder, label, data);
    read_differing(folder, label, data, differing);
    read_completions(folder, label, data, picker);
  }
  data.completions = picker.take();
  note_gaps(data);
  return data;
}

}  // namespace gaze::phyx::report
