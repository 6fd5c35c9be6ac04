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
#include <filesystem>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/input_file.hpp"
#include "phyx/data/reader.hpp"

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

namespace detail {

/// The fields of one row or line that are there, by name.
struct PredictionRecord {
  std::size_t row = 0;
  std::map<std::string, std::string> fields;

  std::string text(const char* name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  }
};

inline constexpr std::array<const char*, 8> prediction_fields = {
    "index", "form", "question", "answer", "category", "subfield", "reasoning_type", "prediction"};

inline std::vector<PredictionRecord> read_prediction_table(std::unique_ptr<io::InputFile> file,
                                                           const std::string& path,
                                                           const TsvLimits& limits) {
  TsvReader reader(std::move(file), path, limits);
  GAZE_CHECK(reader.column("prediction") != TsvReader::none, "score", path,
             " header: no column prediction");
  if (const auto image = reader.column("image"); image != TsvReader::none) reader.skip(image);
  std::vector<PredictionRecord> out;
  TsvReader::Row cells;
  while (reader.next(cells)) {
    PredictionRecord& record = out.emplace_back();
    record.row = reader.row();
    for (const char* name : prediction_fields)
      if (const auto at = reader.column(name); at != TsvReader::none) {
        Place{"score", path, "row", reader.row()}.check(is_utf8(cells[at]), name, "not UTF-8");
        record.fields[name] = cells[at];
      }
  }
  return out;
}

/// A JSON value as a table's cell would have it; lists are read by parse_list later.
inline std::string cell_of(const Json& value, const char* name, const Place& place) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  const std::string_view field = name;
  const bool good = (field == "reasoning_type" && value.is_array()) ||
                    (field == "index" && value.is_number_integer());
  place.check(good, name, "not a text");
  return value.dump();
}

inline std::vector<PredictionRecord> read_prediction_lines(std::istream& file,
                                                           const std::string& path,
                                                           const TsvLimits& limits) {
  std::vector<PredictionRecord> out;
  std::string line;
  for (std::size_t number = 1; read_line(file, line, limits.field_bytes, path, number); ++number) {
    if (trim(line).empty()) continue;
    const auto json = io::parse_json(line, path + " line " + std::to_string(number));
    const Place place{"score", path, "line", number};
    place.check(json.is_object(), "record", "not a JSON object");
    PredictionRecord& record = out.emplace_back();
    record.row = number;
    for (const char* name : prediction_fields)
      if (const auto found = json.find(name); found != json.end())
        record.fields[name] = cell_of(*found, name, place);
  }
  GAZE_CHECK(!file.bad(), "score", path, ": cannot read");
  return out;
}

inline std::optional<Form> form_of_record(const PredictionRecord& record, const Place& place) {
  const std::string form = record.text("form");
  if (form.empty()) return std::nullopt;
  place.check(form == "MC" || form == "OE", "form", "neither MC nor OE");
  return form == "MC" ? Form::mc : Form::oe;
}

/// A problem as far as the prediction file describes it.
inline Problem problem_of_record(const PredictionRecord& record, Form form, const TsvLimits& limits,
                                 const Place& place) {
  Problem out;
  out.index = record.text("index");
  if (out.index.empty()) out.index = std::to_string(record.row);
  out.form = form;
  out.question = record.text("question");
  const std::string answer = record.text("answer");
  place.check(!answer.empty(), "answer", "missing; it is in the data files, if anywhere (--data)");
  place.check_length(answer, limits.answer_bytes, "answer");
  out.answer = form == Form::mc ? parse_letter(answer, place) : answer;
  if (form == Form::mc)
    if (const auto options = options_of_prompt(out.question)) out.options = *options;
  for (const std::string& option : out.options)
    place.check_length(option, limits.answer_bytes, "question, an option");
  if (!is_missing(record.text("category")))
    out.category = parse_domain(record.text("category"), place);
  out.subfield = canonical_subfield(record.text("subfield"));
  out.reasoning = parse_reasoning(record.text("reasoning_type"), limits, place);
  return out;
}

/// All problems of some data files, by index and form, without pictures.
class ProblemIndex {
 public:
  explicit ProblemIndex(const PredictionFiles& files) {
    LoadOptions options = files.reading;
    options.pictures = false;
    options.pandas_answers = true;
    for (const auto& path : files.data) {
      ProblemReader reader(path, options);
      while (auto problem = reader.next()) add(path, reader, std::move(*problem));
    }
  }

  /// The problem, whatever its form where none is given; null if there is none.
  const Prediction* find(const std::string& index, std::optional<Form> form) const {
    for (const Form f : {Form::mc, Form::oe}) {
      if (form && *form != f) continue;
      if (const auto found = problems_.find({index, f}); found != problems_.end())
        return &found->second;
    }
    return nullptr;
  }
  bool both_forms(const std::string& index) const {
    return problems_.contains({index, Form::mc}) && problems_.contains({index, Form::oe});
  }
  std::size_t size() const noexcept { return problems_.size(); }

 private:
  /// The strict score reads the truth as it is written, the official one what pandas makes of it.
  void add(const std::string& path, const ProblemReader& reader, Problem problem) {
    Prediction known;
    known.official_answer = problem.answer;
    known.official_category = problem.category;
    if (const auto* table = reader.table()) {
      const std::string_view cell = table->cell("answer");
      known.official_category = table->cell("category");
      if (problem.form == Form::mc)
        known.official_answer = cell;
      else if (!is_missing(cell))
        problem.answer = cell;
    }
    const auto key = std::pair(problem.index, problem.form);
    known.problem = std::move(problem);
    GAZE_CHECK(problems_.emplace(key, std::move(known)).second, "score", path, " row ",
               reader.row(), ", index: ", printable(key.first, kShownBytes), " is there twice");
  }

  std::map<std::pair<std::string, Form>, Prediction> problems_;
};

inline Prediction find_problem(const PredictionRecord& record, const ProblemIndex& problems,
                               const Place& place) {
  const std::string index = record.text("index");
  place.check(!index.empty(), "index", "missing");
  const auto form = form_of_record(record, place);
  if (!form && problems.both_forms(index))
    place.fail("form",
               "the data have problem " + printable(index, kShownBytes) + " as MC and as OE");
  const Prediction* found = problems.find(index, form);
  if (!found) place.fail("index", "no problem " + printable(index, kShownBytes) + " in the data");
  return *found;
}

/// Joins the records of one prediction file with their problems.
class PredictionJoin {
 public:
  PredictionJoin(const PredictionFiles& files, bool lines,
                 const std::vector<PredictionRecord>& records)
      : files_(files), lines_(lines), problems_(files) {
    for (const auto& r : records) {
      if (lines) break;  // JSON has its own types: a text stays one
      answers_.see(r.text("answer"));
      texts_.see(r.text("prediction"));
    }
  }

  Prediction operator()(const PredictionRecord& record) {
    const Place place{"score", files_.predictions, lines_ ? "line" : "row", record.row};
    Prediction p =
        files_.data.empty() ? described(record, place) : find_problem(record, problems_, place);
    place.check(seen_.insert({p.problem.index, p.problem.form}).second, "index",
                "a second prediction for the same problem");
    p.row = record.row;
    p.text = record.text("prediction");
    place.check_length(p.text, files_.reading.limits.reply_bytes, "prediction");
    if (is_missing(p.text)) p.text = "nan";
    p.official_text = lines_ ? p.text : texts_.text(record.text("prediction"));
    return p;
  }

  /// Problems of the data that no record was joined with.
  std::size_t unanswered() const {
    return files_.data.empty() ? 0 : problems_.size() - seen_.size();
  }

 private:
  /// From a file that holds its own truths.
  Prediction described(const PredictionRecord& record, const Place& place) const {
    auto form = form_of_record(record, place);
    if (!form) form = files_.reading.form;
    Prediction p;
    p.problem = problem_of_record(record, form ? *form : form_of_path(files_.predictions),
                                  files_.reading.limits, place);
    p.official_answer = record.text("answer");
    if (p.problem.form == Form::oe && !lines_) p.official_answer = answers_.text(p.official_answer);
    p.official_category = record.text("category");
    if (is_missing(p.official_category)) p.official_category.clear();
    return p;
  }

  const PredictionFiles& files_;
  bool lines_;
  ProblemIndex problems_;
  ColumnType answers_, texts_;  // of a table: pandas guesses the types of its columns
  std::set<std::pair<std::string, Form>> seen_;
};

}  // namespace detail

struct PredictionSet {
  std::vector<Prediction> predictions;
  std::size_t unanswered = 0;  // problems of the data without a row
};

/// Reads the predictions with their problems. Errors name file, row (or line) and field. A file is
/// JSONL by its ending; a pipe, whose name says nothing, where it begins with a brace.
inline PredictionSet read_predictions(const PredictionFiles& files) {
  const std::string& path = files.predictions;
  auto file = std::make_unique<io::InputFile>(path, "score");
  detail::refuse_parquet(file->head(), path);
  std::error_code error;
  const bool named = std::filesystem::is_regular_file(path, error);
  const bool lines = named ? std::filesystem::path(path).extension() == ".jsonl"
                           : detail::trim(file->head()).starts_with('{');
  const auto& limits = files.reading.limits;
  const auto records = lines ? detail::read_prediction_lines(*file, path, limits)
                             : detail::read_prediction_table(std::move(file), path, limits);
  GAZE_CHECK(!records.empty(), "score", path, ": holds no predictions");
  detail::PredictionJoin join(files, lines, records);
  PredictionSet out;
  for (const auto& r : records) out.predictions.push_back(join(r));
  out.unanswered = join.unanswered();
  return out;
}

}  // namespace gaze::phyx
