// SPDX-License-Identifier: MIT
// Scores any model's predictions by the strict rule, by PhyX's rule and optionally by a judge.
//
//   score_rows     scores every prediction by both rules
//   ask_the_judge  scores the same rows by a language model; can be interrupted
//   score_table    counts overall and per domain, subfield and reasoning type
//   write_scores   writes rows, the official _acc.csv, results.csv
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

/// One prediction with its score by every rule.
struct ScoredRow {
  Prediction prediction;
  Grade strict;
  OfficialScore official;
  std::optional<Judgement> judged;

  bool differ() const { return strict.correct != official.match; }
};

/// Scores predictions by the strict and the official rule.
std::vector<ScoredRow> score_rows(std::vector<Prediction> predictions, OfficialRules rules);

/// Judges every row. Throws Interrupted with its progress when stopped; with a cache in `judge` the
/// same call continues from there.
void ask_the_judge(std::vector<ScoredRow>& rows, const JudgePrompts& prompts, const Judge& judge,
                   const Listener& listener);

/// Number of rows without a judgement; they count as wrong.
std::size_t undecided(const std::vector<ScoredRow>& rows);

/// Number of answers that are right by the strict rule but have a note.
std::size_t noted(const std::vector<ScoredRow>& rows);

/// One slice of the rows with the number of hits by each rule.
struct ScoreSlice {
  std::string format, kind, name;  // "all", "MC" or "OE"; "domain"; "Optics"
  std::size_t n = 0, strict = 0, official = 0, judge = 0;
};

/// Overall, then domains, subfields and reasoning types; a problem with several types counts in
/// each. With both forms in `rows`: both together, then each alone.
std::vector<ScoreSlice> score_table(const std::vector<ScoredRow>& rows);

/// The table as rows of results.csv, with Wilson's intervals.
std::vector<ResultRow> score_results(const std::vector<ScoreSlice>& table, bool judged);

/// Writes one official table per form: `lead`_acc.csv, or with both forms `lead`_MC_acc.csv and
/// `lead`_OE_acc.csv; the judge's tables have _judge before _acc.
void write_official_tables(const std::string& lead, const std::vector<ScoredRow>& rows,
                           bool judged);

/// Throws Error if `folder` contains a file that write_scores would write, but no scores.tsv, the
/// mark of a folder of scores.
void check_scores_folder(const std::string& folder, const std::string& predictions);

/// Writes `folder`/scores.tsv, the official tables named after the predictions, and results.csv.
void write_scores(const std::string& folder, const std::string& predictions,
                  const std::vector<ScoredRow>& rows);

}  // namespace gaze::phyx
