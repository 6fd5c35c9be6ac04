// SPDX-License-Identifier: MIT
// Scoring rows, counting them per slice, and writing tables.
#include "phyx/scoring/score.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "phyx/data/pandas_columns.hpp"
#include "phyx/data/tsv.hpp"
#include "phyx/file_names.hpp"
#include "phyx/results/statistics.hpp"
#include "phyx/run_config.hpp"
#include "phyx/scoring/official_table.hpp"

namespace gaze::phyx {

namespace {

/// The slices of a problem: order in the table, kind, name.
std::vector<std::array<std::string, 3>> slices_of(const Problem& p) {
  std::vector<std::array<std::string, 3>> out = {{"0", "overall", "all"}};
  if (!p.category.empty()) out.push_back({"1", "domain", p.category});
  if (!p.subfield.empty()) out.push_back({"2", "subfield", p.subfield});
  for (const auto& r : p.reasoning) out.push_back({"3", "reasoning", r});
  return out;
}

void count_row(ScoreSlice& s, const ScoredRow& row) {
  ++s.n;
  s.strict += row.strict.correct;
  s.official += row.official.match;
  s.judge += row.judged && row.judged->match;
}

/// The answer extracted by the strict rule, with its note: "5 m/s [no direction]".
std::string extracted_with_note(const Grade& v) {
  return v.note.empty() ? v.extracted : v.extracted + " [" + v.note + "]";
}

/// One row's cells, in the order of write_score_rows.
std::vector<std::string> cells_of(const ScoredRow& row, bool judged) {
  const auto flag = [](bool x) { return std::string(x ? "1" : "0"); };
  const Prediction& p = row.prediction;
  std::vector<std::string> cells = {std::to_string(p.row),
                                    p.problem.index,
                                    p.problem.form == Form::mc ? "MC" : "OE",
                                    p.problem.category,
                                    p.problem.subfield,
                                    p.official_answer,
                                    p.text,
                                    extracted_with_note(row.strict),
                                    flag(row.strict.correct),
                                    row.official.extracted,
                                    flag(row.official.match)};
  if (judged)
    for (const auto& cell : {row.judged->extracted, flag(row.judged->match),
                             std::to_string(row.judged->calls), row.judged->log})
      cells.push_back(cell);
  return cells;
}

/// Writes every row with every score as a table.
void write_score_rows(const std::string& path, const std::vector<ScoredRow>& rows, bool judged) {
  std::vector<std::string> columns = {"row",        "index",
                                      "form",       "category",
                                      "subfield",   "answer",
                                      "prediction", "strict_extracted",
                                      "strict",     "official_extracted",
                                      "official"};
  if (judged)
    for (const char* name : {"judge_extracted", "judge", "judge_calls", "judge_log"})
      columns.push_back(name);
  TsvWriter writer(path, columns);
  for (const auto& row : rows) writer.write(cells_of(row, judged));
  writer.finish();
}

/// The file name prefix of the official tables of a prediction file.
std::string table_stem(const std::string& predictions) {
  return safe_name(std::filesystem::path(predictions).stem().string());
}

}  // namespace

std::vector<ScoredRow> score_rows(std::vector<Prediction> predictions, OfficialRules rules) {
  std::vector<ScoredRow> out;
  for (Prediction& p : predictions) {
    ScoredRow& row = out.emplace_back();
    row.strict = grade_completion(p.problem, is_missing(p.text) ? "" : p.text);
    row.official = score_official(p.problem.form, p.official_answer, p.official_text, rules);
    row.prediction = std::move(p);
  }
  return out;
}

void ask_the_judge(std::vector<ScoredRow>& rows, const JudgePrompts& prompts, const Judge& judge,
                   const Listener& listener) {
  std::size_t done = 0;
  for (ScoredRow& row : rows) {
    const Prediction& p = row.prediction;
    row.judged = judge_official(p.problem.form, p.official_answer, p.official_text, prompts, judge);
    if (listener.stop && listener.stop())
      throw Interrupted(
          "stopped after judging " + std::to_string(done) + " of " + std::to_string(rows.size()) +
              "; run the same command again to continue from its cache, if it has one",
          "score");
    ++done;
    if (listener.progress) listener.progress(done, rows.size(), "judged");
  }
}

std::size_t undecided(const std::vector<ScoredRow>& rows) {
  return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [](const auto& row) {
    return row.judged && !row.judged->decided;
  }));
}

std::size_t noted(const std::vector<ScoredRow>& rows) {
  return static_cast<std::size_t>(std::count_if(
      rows.begin(), rows.end(), [](const auto& row) { return !row.strict.note.empty(); }));
}

std::vector<ScoreSlice> score_table(const std::vector<ScoredRow>& rows) {
  std::set<Form> forms;
  for (const auto& row : rows) forms.insert(row.prediction.problem.form);
  std::map<std::array<std::string, 3>, ScoreSlice> slices;  // by form ("" for both), place, name
  for (const auto& row : rows) {
    const Problem& p = row.prediction.problem;
    for (const auto& [place, kind, name] : slices_of(p))
      for (const auto& format :
           {std::string("all"), std::string(p.form == Form::mc ? "MC" : "OE")}) {
        if (format == "all" && forms.size() == 1) continue;
        ScoreSlice& s = slices[{format == "all" ? "" : format, place, name}];
        s.format = format;
        s.kind = kind;
        s.name = name;
        count_row(s, row);
      }
  }
  std::vector<ScoreSlice> out;
  for (auto& [key, slice] : slices) out.push_back(std::move(slice));
  return out;
}

std::vector<ResultRow> score_results(const std::vector<ScoreSlice>& table, bool judged) {
  std::vector<ResultRow> out;
  const auto add = [&](const ScoreSlice& s, const char* metric, std::size_t hits) {
    const Interval i = wilson(static_cast<double>(hits), static_cast<double>(s.n));
    out.push_back({"predictions", "all", "all", s.format, s.kind, s.name, metric,
                   static_cast<std::int64_t>(s.n),
                   static_cast<double>(hits) / static_cast<double>(s.n), i.low, i.high});
  };
  for (const ScoreSlice& s : table) {
    add(s, "accuracy_greedy", s.strict);
    add(s, "official_greedy", s.official);
    if (judged) add(s, "judge_greedy", s.judge);
  }
  return out;
}

void write_official_tables(const std::string& lead, const std::vector<ScoredRow>& rows,
                           bool judged) {
  std::map<Form, std::vector<OfficialItem>> by_rule, by_judge;
  for (const auto& row : rows) {
    const Form form = row.prediction.problem.form;
    const std::string& category = row.prediction.official_category;
    by_rule[form].push_back({category, row.official.match});
    if (judged) by_judge[form].push_back({category, row.judged->match});
  }
  for (const auto& [form, items] : by_rule) {
    std::string name = lead;
    if (by_rule.size() > 1) name += form == Form::mc ? "_MC" : "_OE";
    io::write_file(name + "_acc.csv", official_csv(items));
    if (judged) io::write_file(name + "_judge_acc.csv", official_judge_csv(by_judge.at(form)));
  }
}

void check_scores_folder(const std::string& folder, const std::string& predictions) {
  const std::string stem = table_stem(predictions);
  std::vector<std::string> written = {"results.csv"};
  for (const char* form : {"", "_MC", "_OE"})
    for (const char* rule : {"", "_judge"}) written.push_back(stem + form + rule + "_acc.csv");
  check_own_folder("score", folder, "scores.tsv", written);
}

void write_scores(const std::string& folder, const std::string& predictions,
                  const std::vector<ScoredRow>& rows) {
  const bool judged = !rows.empty() && rows.front().judged.has_value();
  io::make_folders(folder);
  write_score_rows(folder + "/scores.tsv", rows, judged);
  write_official_tables(folder + "/" + table_stem(predictions), rows, judged);
  write_results(folder + "/results.csv", score_results(score_table(rows), judged));
}

}  // namespace gaze::phyx
