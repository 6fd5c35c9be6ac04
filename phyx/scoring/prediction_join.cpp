// SPDX-License-Identifier: MIT
// The truth of a prediction: from its own record, or from the problem of that index and form.
#include "phyx/scoring/prediction_join.hpp"

#include <string_view>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "phyx/data/fields.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/data/reader.hpp"
#include "phyx/data/table.hpp"
#include "phyx/data/tsv.hpp"

namespace gaze::phyx {

namespace {

/// The place of a record, for errors.
RecordPlace place_of(const PredictionRecord& record, const PredictionFiles& files, bool lines) {
  return {"score", files.predictions, lines ? "line" : "row", record.row};
}

std::optional<Form> form_of_record(const PredictionRecord& record, const RecordPlace& place) {
  const std::string form = record.text("form");
  if (form.empty()) return std::nullopt;
  place.check(form == "MC" || form == "OE", "form", "neither MC nor OE");
  return form == "MC" ? Form::mc : Form::oe;
}

/// The problem, as far as the prediction file describes it.
Problem problem_of_record(const PredictionRecord& record, Form form, const TsvLimits& limits,
                          const RecordPlace& place) {
  Problem out;
  out.index = record.text("index");
  if (out.index.empty()) out.index = std::to_string(record.row);
  out.form = form;
  out.question = record.text("question");
  const std::string answer = record.text("answer");
  place.check(!answer.empty(), "answer",
              "missing; if it is in the data files, pass them with --data");
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

Prediction find_problem(const PredictionRecord& record, const ProblemIndex& problems,
                        const RecordPlace& place) {
  const std::string index = record.text("index");
  place.check(!index.empty(), "index", "missing");
  const auto form = form_of_record(record, place);
  if (!form && problems.both_forms(index))
    place.fail("form", "the data contain problem " + printable(index, kShownBytes) +
                           " both as MC and as OE");
  const Prediction* found = problems.find(index, form);
  if (!found) place.fail("index", "no problem " + printable(index, kShownBytes) + " in the data");
  return *found;
}

}  // namespace

std::string PredictionRecord::text(const char* name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

ProblemIndex::ProblemIndex(const PredictionFiles& files) {
  LoadOptions options = files.reading;
  options.pictures = false;
  options.pandas_answers = true;
  for (const auto& path : files.data) {
    ProblemReader reader(path, options);
    while (auto problem = reader.next()) add(path, reader, std::move(*problem));
  }
}

const Prediction* ProblemIndex::find(const std::string& index, std::optional<Form> form) const {
  for (const Form f : {Form::mc, Form::oe}) {
    if (form && *form != f) continue;
    if (const auto found = problems_.find({index, f}); found != problems_.end())
      return &found->second;
  }
  return nullptr;
}

bool ProblemIndex::both_forms(const std::string& index) const {
  return problems_.contains({index, Form::mc}) && problems_.contains({index, Form::oe});
}

// The strict score uses the truth as written, the official one the truth after pandas.
void ProblemIndex::add(const std::string& path, const ProblemReader& reader, Problem problem) {
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
  GAZE_CHECK(problems_.emplace(key, std::move(known)).second, "score", path, " row ", reader.row(),
             ", index: ", printable(key.first, kShownBytes), " occurs twice");
}

PredictionJoin::PredictionJoin(const PredictionFiles& files, bool lines,
                               const std::vector<PredictionRecord>& records)
    : files_(files), lines_(lines), problems_(files) {
  for (const auto& r : records) {
    if (lines) break;  // JSON has its own types: text stays text
    answers_.see(r.text("answer"));
    texts_.see(r.text("prediction"));
  }
}

Prediction PredictionJoin::operator()(const PredictionRecord& record) {
  const RecordPlace place = place_of(record, files_, lines_);
  Prediction p = files_.data.empty() ? described(record) : find_problem(record, problems_, place);
  place.check(seen_.insert({p.problem.index, p.problem.form}).second, "index",
              "a second prediction for the same problem");
  p.row = record.row;
  p.text = record.text("prediction");
  place.check_length(p.text, files_.reading.limits.reply_bytes, "prediction");
  if (is_missing(p.text)) p.text = "nan";
  p.official_text = lines_ ? p.text : texts_.text(record.text("prediction"));
  return p;
}

std::size_t PredictionJoin::unanswered() const {
  return files_.data.empty() ? 0 : problems_.size() - seen_.size();
}

// For a file that contains its own truths.
Prediction PredictionJoin::described(const PredictionRecord& record) const {
  const RecordPlace place = place_of(record, files_, lines_);
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

}  // namespace gaze::phyx
