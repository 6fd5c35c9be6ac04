// SPDX-License-Identifier: MIT
// Reading the records of a prediction file from a table or from JSON lines.
#include "phyx/scoring/predictions.hpp"

#include <array>
#include <filesystem>
#include <istream>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/utf8.hpp"
#include "gaze/io/input_file.hpp"
#include "gaze/io/json.hpp"
#include "phyx/data/fields.hpp"
#include "phyx/data/jsonl.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/data/tsv.hpp"
#include "phyx/scoring/prediction_join.hpp"

namespace gaze::phyx {

namespace {

constexpr std::array<const char*, 8> prediction_fields = {
    "index", "form", "question", "answer", "category", "subfield", "reasoning_type", "prediction"};

std::vector<PredictionRecord> read_prediction_table(std::unique_ptr<io::InputFile> file,
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
        RecordPlace{"score", path, "row", reader.row()}.check(is_utf8(cells[at]), name,
                                                              "not UTF-8");
        record.fields[name] = cells[at];
      }
  }
  return out;
}

/// A JSON value as the text of a table's cell; parse_list reads lists later.
std::string cell_of(const io::Json& value, const char* name, const RecordPlace& place) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  const std::string_view field = name;
  const bool good = (field == "reasoning_type" && value.is_array()) ||
                    (field == "index" && value.is_number_integer());
  place.check(good, name, "not a text");
  return value.dump();
}

std::vector<PredictionRecord> read_prediction_lines(std::istream& file, const std::string& path,
                                                    const TsvLimits& limits) {
  std::vector<PredictionRecord> out;
  std::string line;
  for (std::size_t number = 1;; ++number) {
    const RecordPlace place{"score", path, "line", number};
    if (!read_line(file, line, limits.field_bytes, place)) break;
    if (trim_blanks(line).empty()) continue;
    const auto json = io::parse_json(line, path + " line " + std::to_string(number));
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

}  // namespace

PredictionSet read_predictions(const PredictionFiles& files) {
  const std::string& path = files.predictions;
  auto file = std::make_unique<io::InputFile>(path, "score");
  refuse_parquet(file->head(), path);
  std::error_code error;
  const bool named = std::filesystem::is_regular_file(path, error);
  const bool lines = named ? std::filesystem::path(path).extension() == ".jsonl"
                           : trim_blanks(file->head()).starts_with('{');
  const auto& limits = files.reading.limits;
  const auto records = lines ? read_prediction_lines(*file, path, limits)
                             : read_prediction_table(std::move(file), path, limits);
  GAZE_CHECK(!records.empty(), "score", path, ": contains no predictions");
  PredictionJoin join(files, lines, records);
  PredictionSet out;
  for (const auto& r : records) out.predictions.push_back(join(r));
  out.unanswered = join.unanswered();
  return out;
}

}  // namespace gaze::phyx
