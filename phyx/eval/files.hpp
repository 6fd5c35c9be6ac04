// SPDX-License-Identifier: MIT
// Evaluates a model on problem files of any size: problems are streamed in batches, answers
// are appended line by line, and an interrupted evaluation resumes with bit-identical results.
//
//   eval.json                everything that determines the answers; a resumed run must match it
//   predictions.jsonl        one line per answered problem; the other files are made from it
//   DATASET_predictions.tsv  the official layout: the data's columns without image, and prediction
//   DATASET_predictions_acc.csv   the official table
//   outcomes.jsonl, results.csv   as written by an ablation
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "phyx/eval/evaluation_folder.hpp"
#include "phyx/eval/problem_answerer.hpp"
#include "phyx/listener.hpp"

namespace gaze::phyx {

/// One evaluation of a model on some files.
template <class Device = Cpu>
class FileEvaluation {
 public:
  FileEvaluation(EvalSettings settings, Listener listener)
      : s_(readable(std::move(settings))), listener_(std::move(listener)), folder_(s_) {
    s_.evaluation.sampling.check();
  }

  /// Runs or resumes the evaluation. Returns the rows of results.csv. Throws Interrupted when
  /// stopped; answers so far are kept.
  std::vector<ResultRow> run();

 private:
  /// A problem's data file and row.
  using Place = EvaluationFolder::Place;

  /// Answers the problems after the first `done`.
  void answer(std::size_t done);

  /// Throws Error with the row if the picture cannot be decoded.
  Example example(const Place& place, Problem problem);

  /// `first`: number of problems answered before.
  void answer_batch(const std::vector<Example>& batch, const std::vector<Place>& places,
                    std::size_t first);

  EvalSettings s_;
  Listener listener_;
  EvaluationFolder folder_;
  /// Without pictures for a model that reads text only; every row is then a problem.
  static EvalSettings readable(EvalSettings s) {
    if (reads_text_only(s.model)) s.reading.pictures = false;
    return s;
  }

  std::unique_ptr<ProblemAnswerer> answerer_;
  std::size_t count_ = 0;  // known number of problems
};

extern template class FileEvaluation<Cpu>;

}  // namespace gaze::phyx
