// SPDX-License-Identifier: MIT
// Predictions of any model: a file of answers joined with the problems they answer.
//
//   read_predictions   from a JSONL or a table, which may be a pipe; the truth stands in the file
//                      itself or in data files
//
// A prediction file has a column `prediction` and either `index` (with data files) or `answer`;
// `form` (MC, OE), `question`, `category`, `subfield` and `reasoning_type` are read where they are.
// PhyX's own layout, the data set's columns and `prediction`, has all that is needed.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "phyx/data/reader.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// One prediction and its problem.
struct Prediction {
  std::size_t row = 0;            // in the prediction file: its row, or line
  Problem problem;                // without the picture
  std::string official_answer;    // the truth as the official code sees it, after pandas
  std::string official_category;  // as the file spells it: a column of the official table
  std::string text;               // "nan" where it is missing
  std::string official_text;      // the same after pandas, which types a table's columns
};

struct PredictionFiles {
  std::string predictions;
  std::vector<std::string> data;  // none: the truths are in `predictions`
  LoadOptions reading;            // of the data; `form` also of the predictions
};

struct PredictionSet {
  std::vector<Prediction> predictions;
  std::size_t unanswered = 0;  // problems of the data without a row
};

/// Reads the predictions with their problems. Errors name file, row (or line) and field. A file is
/// JSONL by its ending; a pipe, whose name says nothing, where it begins with a brace.
PredictionSet read_predictions(const PredictionFiles& files);

}  // namespace gaze::phyx
