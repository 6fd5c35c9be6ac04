// SPDX-License-Identifier: MIT
// Checking, configuring, logging and summarising an evaluation.
#include "phyx/eval/evaluation_folder.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/data/reader.hpp"
#include "phyx/data/writer.hpp"
#include "phyx/eval/showcase.hpp"
#include "phyx/file_names.hpp"
#include "phyx/run_config.hpp"
#include "phyx/scoring/predictions.hpp"
#include "phyx/scoring/score.hpp"

namespace gaze::phyx {

namespace {

/// The data set's name, the prefix of its output files.
std::string name_of(const std::string& path) {
  return safe_name(std::filesystem::path(path).stem().string());
}

/// Writes the official layout: the data's columns without the picture, and a column prediction, for
/// each row with a prediction.
void write_official_layout(const std::string& path, const std::string& data,
                           const LoadOptions& reading,
                           const std::map<std::size_t, std::string>& predictions) {
  LoadOptions texts = reading;
  texts.pictures = false;
  ProblemReader reader(data, texts);
  std::vector<std::string> columns = {"index",    "question", "answer",
                                      "category", "subfield", "reasoning_type"};
  if (reader.table()) columns = reader.table()->columns();
  std::vector<std::string> kept;
  for (const auto& c : columns)
    if (c != "image" && c != "prediction") kept.push_back(c);
  kept.push_back("prediction");
  TsvWriter writer(path, kept);
  while (auto p = reader.next()) {
    const auto found = predictions.find(reader.row());
    if (found == predictions.end()) continue;  // a row without a picture
    std::vector<std::string> cells;
    if (reader.table()) {
      for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i] != "image" && columns[i] != "prediction")
          cells.push_back(reader.table()->cells()[i]);
    } else {
      cells = {p->index,    p->question, p->answer,
               p->category, p->subfield, io::dump_json(io::Json(p->reasoning), data)};
    }
    cells.push_back(found->second);
    writer.write(cells);
  }
  writer.finish();
}

}  // namespace

std::size_t EvaluationFolder::survey() {
  std::set<std::pair<std::string, Form>> seen;
  std::set<std::string> names;
  for (const auto& path : s_.data) {
    GAZE_CHECK(names.insert(name_of(path)).second, "eval", path, ": a second file of this name");
    LoadOptions reading = s_.reading;
    reading.keep_without_image = true;
    reading.pictures = ProblemReader(path, reading).pictures_beside();
    ProblemReader reader(path, reading);
    io::Sha256 pictures;
    while (auto p = reader.next()) {
      GAZE_CHECK(!p->answer.empty(), "eval", path, " row ", reader.row(), ", answer: missing");
      GAZE_CHECK(seen.insert({full_index(*p), p->form}).second, "eval", path, " row ", reader.row(),
                 ", index: ", printable(p->index, kShownBytes), " occurs twice");
      pictures.update(std::to_string(p->image.size()) + " bytes: ");
      pictures.update({reinterpret_cast<const char*>(p->image.data()), p->image.size()});
    }
    digests_.push_back({io::sha256_file(path), reading.pictures ? pictures.digits() : ""});
  }
  GAZE_CHECK(!seen.empty(), "eval", "no problems in the given files");
  return seen.size();
}

void EvaluationFolder::configure(const Answerer& by) {
  static const std::array<const char*, 3> texts = {"full", "simplified", "minimal"};
  const SamplingSettings& g = s_.evaluation.sampling;
  io::OrderedJson j;
  if (by.weights_files.size() == 1)
    j["model"] = io::sha256_file(by.weights_files[0]);
  else
    for (const auto& file : by.weights_files) j["model"].push_back(io::sha256_file(file));
  j["tokenizer"] = io::sha256_file(by.tokenizer_file);
  for (const auto& [what, file] : by.prompt_files) j["checkpoint"][what] = io::sha256_file(file);
  if (!s_.published.split_images) j["checkpoint"]["split_images"] = false;
  if (!s_.published.logits_scaling) j["checkpoint"]["logits_scaling"] = false;
  if (s_.published.merge_adapter) j["checkpoint"]["merge_adapter"] = true;
  for (std::size_t i = 0; i < s_.data.size(); ++i) {
    const std::string name = std::filesystem::path(s_.data[i]).filename().string();
    j["data"].push_back({{"name", printable(name, kShownBytes)}, {"sha256", digests_[i].file}});
    if (!digests_[i].pictures.empty()) j["data"].back()["pictures"] = digests_[i].pictures;
  }
  j["reading"] = {
      {"form", s_.reading.form ? (*s_.reading.form == Form::mc ? "MC" : "OE") : "by name"},
      {"text", texts[static_cast<std::size_t>(s_.reading.text)]},
      {"caption", s_.reading.caption}};
  if (s_.reading.own) j["reading"]["schema"] = "own";
  j["evaluation"] = {{"samples", s_.evaluation.samples},
                     {"seed", s_.evaluation.seed},
                     {"temperature", g.temperature},
                     {"top_k", g.top_k},
                     {"top_p", g.top_p},
                     {"min_p", g.min_p},
                     {"repetition_penalty", g.repetition_penalty},
                     {"max_tokens", g.max_tokens}};
  j["device"] = by.device;
  j["instruction_set"] = by.instruction_set;
  j["version"] = GAZE_VERSION;
  config_ = std::move(j);
}

std::size_t EvaluationFolder::open() {
  if (io::exists(s_.out)) lock_.emplace(s_.out);
  return prepare();
}

std::size_t EvaluationFolder::prepare() const {
  std::vector<std::string> written = {"predictions.jsonl", "outcomes.jsonl", "results.csv"};
  for (const auto& path : s_.data)
    for (const char* end : {"_predictions.tsv", "_predictions_acc.csv"})
      written.push_back(name_of(path) + end);
  check_own_folder("eval", s_.out, "eval.json", written);
  if (!io::exists(config_path())) return 0;
  GAZE_CHECK(s_.resume, "eval", config_path(),
             ": folder already contains an evaluation; pass --resume to continue");
  const io::Json before = io::read_json_object(config_path());
  const io::Json asked = io::parse_json(io::dump_json(config_, config_path()), config_path());
  for (const auto& [key, value] : asked.items())
    check_same_config(config_path(), key, before.value(key, io::Json()), value);
  return whole_lines();
}

std::size_t EvaluationFolder::whole_lines() const {
  std::size_t count = 0;
  open_log().read_whole_lines([&](const std::string&, std::size_t number) { count = number; });
  return count;
}

void EvaluationFolder::begin() {
  if (!lock_) {
    lock_.emplace(s_.out);
    GAZE_CHECK(prepare() == 0, "eval", s_.out, ": another process has written to this folder");
  }
  if (!io::exists(config_path()))
    io::write_file(config_path(), io::dump_json(config_, config_path(), 2) + "\n");
}

std::string EvaluationFolder::line(const Example& e, const phyx::Completion& c,
                                   const Outcome& outcome, const Place& place) {
  io::OrderedJson j = shown_json(e, c, "");
  j.erase("text");
  j["prediction"] = c.text;
  j["file"] = place.first;
  j["row"] = place.second;
  j["outcome"] = outcome_to_json(outcome);
  return dump_line(j);
}

std::vector<ResultRow> EvaluationFolder::finish() const {
  OutcomeSet set{"model", 0, {}};
  std::vector<std::map<std::size_t, std::string>> predictions(s_.data.size());
  std::ifstream in(log_path(), std::ios::binary);
  std::string text;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    const std::string where = log_path() + " line " + std::to_string(number);
    const io::Json j = io::parse_json(text, where);
    set.outcomes.push_back(outcome_from_json(io::json_at(j, "outcome", where), where));
    const auto &file = io::json_at(j, "file", where), &row = io::json_at(j, "row", where),
               &said = io::json_at(j, "prediction", where);
    GAZE_CHECK(file.is_number_unsigned() && file < predictions.size() && row.is_number_unsigned() &&
                   said.is_string(),
               "eval", where, ": not a line of this evaluation");
    predictions[file.get<std::size_t>()][row.get<std::size_t>()] = said.get<std::string>();
  }
  for (std::size_t i = 0; i < s_.data.size(); ++i) write_predictions(i, predictions[i]);
  write_outcomes(s_.out + "/outcomes.jsonl", set);
  auto rows = summarise({{{set.condition, set.seed}, set.outcomes}});
  write_results(s_.out + "/results.csv", rows);
  return rows;
}

void EvaluationFolder::write_predictions(
    std::size_t file, const std::map<std::size_t, std::string>& predictions) const {
  if (predictions.empty() || s_.reading.own) return;  // the layout is that of PhyX's files
  const std::string lead = s_.out + "/" + name_of(s_.data[file]) + "_predictions";
  write_official_layout(lead + ".tsv", s_.data[file], s_.reading, predictions);
  PredictionFiles written{lead + ".tsv", {}, {}};
  written.reading.form = s_.reading.form ? *s_.reading.form : form_of_path(s_.data[file]);
  write_official_tables(
      lead, score_rows(read_predictions(written).predictions, OfficialRules::latest), false);
}

}  // namespace gaze::phyx
