// SPDX-License-Identifier: MIT
// Predictions of any model, joined with their problems.
//
//   read_predictions   from a JSONL or a table, which may be a pipe; the truth is in the file
//                      itself or in data files
//
// A prediction file has a column `prediction` and either `index` (with data files) or `answer`;
// `form` (MC, OE), `question`, `category`, `subfield` and `reasoning_type` are optional. PhyX's own
// layout, the data set's columns and `prediction`, has all of them.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "phyx/data/reader.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// One prediction and its problem.
struct Prediction {
  std::size_t row = 0;            // row or line in the prediction file
  Problem problem;                // without the picture
  std::string official_answer;    // the truth after pandas, as in the official code
  std::string official_category;  // as spelled in the file: a column of the official table
  std::string text;               // "nan" if missing
  std::string official_text;      // the text after pandas, which infers column types
};

struct PredictionFiles {
  std::string predictions;
  std::vector<std::string> data;  // empty: the truths are in `predictions`
  LoadOptions reading;            // of the data; `form` also of the predictions
};

struct PredictionSet {
  std::vector<Prediction> predictions;
  std::size_t unanswered = 0;  // problems of the data without a prediction
};

/// Reads predictions with their problems. Errors name file, row (or line) and field. A regular file
/// is JSONL by its extension, a pipe if it starts with a brace.
PredictionSet read_predictions(const PredictionFiles& files);

}  // namespace gaze::phyx
