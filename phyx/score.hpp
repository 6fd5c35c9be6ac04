// SPDX-License-Identifier: MIT
// Any model's predictions scored: strictly, by PhyX's rule, and where asked for by a judge.
//
//   score_rows     every prediction by every rule
//   ask_the_judge  the same rows by a language model; can be stopped and gone on with
//   score_table    means with intervals, overall and per domain, subfield and reasoning type
//   write_scores   all of it as files: rows, the official _acc.csv, results.csv
#pragma once
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "phyx/answer.hpp"
#include "phyx/judge.hpp"
#include "phyx/listener.hpp"
#include "phyx/predictions.hpp"
#include "phyx/results_csv.hpp"
#include "phyx/score_official.hpp"
#include "phyx/statistics.hpp"

namespace gaze::phyx {

/// One prediction with what every rule makes of it.
struct ScoredRow {
  Prediction prediction;
  Verdict strict;
  OfficialScore official;
  std::optional<Judgement> judged;

  bool differ() const { return strict.correct != official.match; }
};

inline std::vector<ScoredRow> score_rows(std::vector<Prediction> predictions, OfficialRules rules) {
  std::vector<ScoredRow> out;
  for (Prediction& p : predictions) {
    ScoredRow& row = out.emplace_back();
    row.strict = judge_strict(p.problem, is_missing(p.text) ? "" : p.text);
    row.official = score_official(p.problem.form, p.official_answer, p.text, rules);
    row.prediction = std::move(p);
  }
  return out;
}

/// Judges every row. When it is stopped, Interrupted says how far it came; with a cache in `judge`
/// the same call goes on from there.
inline void ask_the_judge(std::vector<ScoredRow>& rows, const JudgePrompts& prompts,
                          const Judge& judge, const Listener& listener) {
  std::size_t done = 0;
  for (ScoredRow& row : rows) {
    const Prediction& p = row.prediction;
    row.judged = judge_official(p.problem.form, p.official_answer, p.text, prompts, judge);
    if (listener.stop && listener.stop())
      throw Interrupted("stopped after judging " + std::to_string(done) + " of " +
                            std::to_string(rows.size()) +
                            "; the same command goes on from its cache",
                        "score");
    ++done;
    if (listener.progress) listener.progress(done, rows.size(), "judged");
  }
}

/// How many rows the judge left undecided; they count as wrong.
inline std::size_t undecided(const std::vector<ScoredRow>& rows) {
  return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [](const auto& row) {
    return row.judged && !row.judged->decided;
  }));
}

/// One slice of the rows, and how many of them each rule counts.
struct ScoreSlice {
  std::string format, kind, name;  // "all", "MC" or "OE"; "domain"; "Optics"
  std::size_t n = 0, strict = 0, official = 0, judge = 0;
};

/// Overall, then domains, subfields and reasoning types; a problem of several types counts under
/// each. Both forms together and each by itself, where there are both.
inline std::vector<ScoreSlice> score_table(const std::vector<ScoredRow>& rows) {
  static const std::array<const char*, 4> kinds = {"overall", "domain", "subfield", "reasoning"};
  std::map<std::array<std::string, 3>, ScoreSlice> slices;
  std::set<Form> forms;
  for (const auto& row : rows) forms.insert(row.prediction.problem.form);
  for (const auto& row : rows) {
    const Problem& p = row.prediction.problem;
    std::vector<std::pair<std::size_t, std::string>> labels = {{0, "all"}};
    if (!p.category.empty()) labels.push_back({1, p.category});
    if (!p.subfield.empty()) labels.push_back({2, p.subfield});
    for (const auto& r : p.reasoning) labels.push_back({3, r});
    std::vector<std::string> formats = {p.form == Form::mc ? "MC" : "OE"};
    if (forms.size() > 1) formats.push_back("all");
    for (const auto& [kind, name] : labels)
      for (const auto& format : formats) {
        ScoreSlice& s = slices[{format == "all" ? "" : format, std::to_string(kind), name}];
        s.format = format;
        s.kind = kinds[kind];
        s.name = name;
        ++s.n;
        s.strict += row.strict.correct;
        s.official += row.official.match;
        s.judge += row.judged && row.judged->match;
      }
  }
  std::vector<ScoreSlice> out;
  for (auto& [key, slice] : slices) out.push_back(std::move(slice));
  return out;
}

/// The table as rows of results.csv, with Wilson's intervals.
inline std::vector<ResultRow> score_results(const std::vector<ScoreSlice>& table, bool judged) {
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

namespace detail {

/// Every row with every score, as a table.
inline void write_score_rows(const std::string& path, const std::vector<ScoredRow>& rows,
                             bool judged) {
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
  for (const auto& row : rows) {
    const Problem& p = row.prediction.problem;
    std::vector<std::string> cells = {std::to_string(row.prediction.row),
                                      p.index,
                                      p.form == Form::mc ? "MC" : "OE",
                                      p.category,
                                      p.subfield,
                                      row.prediction.official_answer,
                                      row.prediction.text,
                                      row.strict.extracted,
                                      row.strict.correct ? "1" : "0",
                                      row.official.extracted,
                                      row.official.match ? "1" : "0"};
    if (judged) {
      cells.push_back(row.judged->extracted);
      cells.push_back(row.judged->match ? "1" : "0");
      cells.push_back(std::to_string(row.judged->calls));
      cells.push_back(row.judged->log);
    }
    writer.write(cells);
  }
  writer.finish();
}

/// The official tables, one for each form there is: `lead`_acc.csv or, with several forms,
/// `lead`_MC_acc.csv and `lead`_OE_acc.csv; the judge's with _judge before it.
inline void write_official_tables(const std::string& lead, const std::vector<ScoredRow>& rows,
                                  bool judged) {
  std::map<Form, std::vector<OfficialItem>> by_rule, by_judge;
  for (const auto& row : rows) {
    const Problem& p = row.prediction.problem;
    by_rule[p.form].push_back({p.category, row.official.match});
    if (judged) by_judge[p.form].push_back({p.category, row.judged->match});
  }
  for (const auto& [form, items] : by_rule) {
    std::string name = lead;
    if (by_rule.size() > 1) name += form == Form::mc ? "_MC" : "_OE";
    io::write_file(name + "_acc.csv", official_csv(items));
    if (judged) io::write_file(name + "_judge_acc.csv", official_judge_csv(by_judge.at(form)));
  }
}

}  // namespace detail

/// Writes `folder`/scores.tsv, the official tables named after the predictions, and results.csv.
inline void write_scores(const std::string& folder, const std::string& predictions,
                         const std::vector<ScoredRow>& rows) {
  const bool judged = !rows.empty() && rows.front().judged.has_value();
  std::filesystem::create_directories(folder);
  detail::write_score_rows(folder + "/scores.tsv", rows, judged);
  const std::string stem = std::filesystem::path(predictions).stem().string();
  detail::write_official_tables(folder + "/" + stem, rows, judged);
  write_results(folder + "/results.csv", score_results(score_table(rows), judged));
}

}  // namespace gaze::phyx
