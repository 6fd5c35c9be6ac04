// SPDX-License-Identifier: MIT
// A trained model on problem files of any size: problems stream through in batches, what is
// answered is appended line by line, and an evaluation that was stopped goes on to the same bits.
//
//   eval.json                what decides the answers; a resumed run must have the same
//   predictions.jsonl        one line per problem, as they are answered; the truth of the rest
//   DATASET_predictions.tsv  the official layout: the data's columns without image, and prediction
//   DATASET_predictions_acc.csv   the official table
//   outcomes.jsonl, results.csv   as an ablation writes them
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "phyx/eval/evaluation_folder.hpp"
#include "phyx/eval/trained_model.hpp"
#include "phyx/listener.hpp"

namespace gaze::phyx {

/// One evaluation of a model on some files.
template <class Device = Cpu>
class FileEvaluation {
 public:
  FileEvaluation(EvalSettings settings, Listener listener)
      : s_(std::move(settings)), listener_(std::move(listener)), folder_(s_) {
    s_.evaluation.sampling.check();
  }

  /// All of it, or the rest; the rows of results.csv. Throws Interrupted where it was asked to
  /// stop: what is answered stays.
  std::vector<ResultRow> run();

 private:
  /// A problem's file and row.
  using Place = EvaluationFolder::Place;

  /// Streams the problems after the first `done` through the model.
  void answer(std::size_t done);

  /// A picture that cannot be decoded is an Error with its row.
  Example example(const Place& place, Problem problem);

  /// `first`: how many problems were answered before these.
  void answer_batch(const std::vector<Example>& batch, const std::vector<Place>& places,
                    std::size_t first);

  EvalSettings s_;
  Listener listener_;
  EvaluationFolder folder_;
  std::unique_ptr<TrainedModel<Device>> trained_;
  std::size_t count_ = 0;  // problems, as far as is known
};

extern template class FileEvaluation<Cpu>;

}  // namespace gaze::phyx
