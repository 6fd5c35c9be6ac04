// SPDX-License-Identifier: MIT
// Joining the records of a prediction file with the problems that they answer.
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

/// The fields of one row or line that are there, by name.
struct PredictionRecord {
  std::size_t row = 0;
  std::map<std::string, std::string> fields;

  /// A field's text; empty where it is not there.
  std::string text(const char* name) const;
};

/// All problems of some data files, by index and form, without pictures.
class ProblemIndex {
 public:
  /// Throws Error where a problem is there twice in one form.
  explicit ProblemIndex(const PredictionFiles& files);

  /// The problem, whatever its form where none is given; null if there is none.
  const Prediction* find(const std::string& index, std::optional<Form> form) const;
  bool both_forms(const std::string& index) const;
  std::size_t size() const noexcept { return problems_.size(); }

 private:
  void add(const std::string& path, const ProblemReader& reader, Problem problem);

  std::map<std::pair<std::string, Form>, Prediction> problems_;
};

/// Joins the records of one prediction file with their problems. Keeps a reference to `files`.
class PredictionJoin {
 public:
  /// `lines`: the records come from JSONL, not from a table.
  PredictionJoin(const PredictionFiles& files, bool lines,
                 const std::vector<PredictionRecord>& records);

  /// The record with its problem. An Error names file, row (or line) and field: a problem that
  /// there is not or that was answered before, or a field of the wrong form.
  Prediction operator()(const PredictionRecord& record);

  /// Problems of the data that no record was joined with.
  std::size_t unanswered() const;

 private:
  Prediction described(const PredictionRecord& record) const;

  const PredictionFiles& files_;
  bool lines_;
  ProblemIndex problems_;
  ColumnType answers_, texts_;  // of a table: pandas guesses the types of its columns
  std::set<std::pair<std::string, Form>> seen_;
};

}  // namespace gaze::phyx
