// SPDX-License-Identifier: MIT
// Joins the records of a prediction file with their problems.
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "phyx/data/pandas_columns.hpp"
#include "phyx/problem.hpp"
#include "phyx/scoring/predictions.hpp"

namespace gaze::phyx {

/// The fields of one row or line, by name.
struct PredictionRecord {
  std::size_t row = 0;
  std::map<std::string, std::string> fields;

  /// A field's text; empty if absent.
  std::string text(const char* name) const;
};

/// The problems of data files by index and form, without pictures.
class ProblemIndex {
 public:
  /// Throws Error if a problem occurs twice in one form.
  explicit ProblemIndex(const PredictionFiles& files);

  /// The problem of this index, in any form if none is given; null if there is none.
  const Prediction* find(const std::string& index, std::optional<Form> form) const;
  bool both_forms(const std::string& index) const;
  std::size_t size() const noexcept { return problems_.size(); }

 private:
  void add(const std::string& path, const ProblemReader& reader, Problem problem);

  std::map<std::pair<std::string, Form>, Prediction> problems_;
};

/// Joins records with problems. Keeps a reference to `files`.
class PredictionJoin {
 public:
  /// `lines`: the records come from JSONL instead of a table.
  PredictionJoin(const PredictionFiles& files, bool lines,
                 const std::vector<PredictionRecord>& records);

  /// The record with its problem. Throws Error with file, row (or line) and field for an unknown
  /// problem, a second prediction, or a malformed field.
  Prediction operator()(const PredictionRecord& record);

  /// Number of problems without a record.
  std::size_t unanswered() const;

 private:
  Prediction described(const PredictionRecord& record) const;

  const PredictionFiles& files_;
  bool lines_;
  ProblemIndex problems_;
  ColumnType answers_, texts_;  // of a table: pandas infers column types
  std::set<std::pair<std::string, Form>> seen_;
};

}  // namespace gaze::phyx
