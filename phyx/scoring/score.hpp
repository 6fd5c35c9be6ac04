// SPDX-License-Identifier: MIT
// Any model's predictions scored: strictly, by PhyX's rule, and where asked for by a judge.
//
//   score_rows     every prediction by every rule
//   ask_the_judge  the same rows by a language model; can be stopped and gone on with
//   score_table    means with intervals, overall and per domain, subfield and reasoning type
//   write_scores   all of it as files: rows, the official _acc.csv, results.csv
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/listener.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/scoring/llm_judge.hpp"
#include "phyx/scoring/official_rules.hpp"
#include "phyx/scoring/predictions.hpp"

namespace gaze::phyx {

/// One prediction with what every rule makes of it.
struct ScoredRow {
  Prediction prediction;
  Verdict strict;
  OfficialScore official;
  std::optional<Judgement> judged;

  bool differ() const { return strict.correct != official.match; }
};

/// Every prediction by the strict rule and by the official one.
std::vector<ScoredRow> score_rows(std::vector<Prediction> predictions, OfficialRules rules);

/// Judges every row. When it is stopped, Interrupted says how far it came; with a cache in `judge`
/// the same call goes on from there.
void ask_the_judge(std::vector<ScoredRow>& rows, const JudgePrompts& prompts, const Judge& judge,
                   const Listener& listener);

/// How many rows the judge left undecided; they count as wrong.
std::size_t undecided(const std::vector<ScoredRow>& rows);

/// How many answers the strict rule counts as right although they leave something out.
std::size_t noted(const std::vector<ScoredRow>& rows);

/// One slice of the rows, and how many of them each rule counts.
struct ScoreSlice {
  std::string format, kind, name;  // "all", "MC" or "OE"; "domain"; "Optics"
  std::size_t n = 0, strict = 0, official = 0, judge = 0;
};

/// Overall, then domains, subfields and reasoning types; a problem of several types counts under
/// each. Both forms together and each by itself, where there are both.
std::vector<ScoreSlice> score_table(const std::vector<ScoredRow>& rows);

/// The table as rows of results.csv, with Wilson's intervals.
std::vector<ResultRow> score_results(const std::vector<ScoreSlice>& table, bool judged);

/// The official tables, one for each form there is: `lead`_acc.csv or, with several forms,
/// `lead`_MC_acc.csv and `lead`_OE_acc.csv; the judge's with _judge before it.
void write_official_tables(const std::string& lead, const std::vector<ScoredRow>& rows,
                           bool judged);

/// Throws Error where `folder` holds a file that write_scores would write, but no scores.tsv, by
/// which a folder of scores is known.
void check_scores_folder(const std::string& folder, const std::string& predictions);

/// Writes `folder`/scores.tsv, the official tables named after the predictions, and results.csv.
void write_scores(const std::string& folder, const std::string& predictions,
                  const std::vector<ScoredRow>& rows);

}  // namespace gaze::phyx
