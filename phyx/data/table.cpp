// SPDX-License-Identifier: MIT
// Converting rows to problems.
#include "phyx/data/table.hpp"

#include <string>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/utf8.hpp"

namespace gaze::phyx {

namespace {

// The official tools store the pictures of x_local.tsv in images/x.
std::string images_of(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  if (name.ends_with("_local")) name.resize(name.size() - 6);
  return "images/" + name;
}

}  // namespace

TableLoader::TableLoader(const std::filesystem::path& path, const LoadOptions& options)
    : path_(path),
      options_(options),
      form_(options.form ? *options.form : form_of_path(path)),
      with_pictures_(options.pictures && !variant_of_path(path).caption),
      reader_(path, options.limits),
      pictures_(path, options.limits),
      beside_(path, options.pictures_at, {"images", images_of(path)}) {
  for (const char* name : {"index", "question", "answer", "category"}) require(name);
  const std::size_t image = reader_.column("image");
  if (with_pictures_ && reader_.column("image_path") == TsvReader::none) require("image");
  if (!with_pictures_ && image != TsvReader::none) reader_.skip(image);
  if (options.pandas_answers) infer_answers();
}

std::optional<Problem> TableLoader::next() {
  while (reader_.next(row_)) {
    const RecordPlace place{"read_tsv", reader_.name(), "row", reader_.row()};
    Problem problem;
    problem.image = picture(place);
    if (!problem.image.empty() || options_.keep_without_image || !with_pictures_) {
      fill(problem, place);
      return problem;
    }
    ++dropped_;
  }
  return std::nullopt;
}

std::string_view TableLoader::cell(const char* name) const {
  const std::size_t at = reader_.column(name);
  return at == TsvReader::none ? std::string_view{} : std::string_view(row_[at]);
}

bool TableLoader::pictures_beside() const noexcept {
  return with_pictures_ && reader_.column("image_path") != TsvReader::none;
}

void TableLoader::require(const char* name) const {
  GAZE_CHECK(reader_.column(name) != TsvReader::none, "read_tsv", reader_.name(),
             " header: no column ", name);
}

void TableLoader::infer_answers() {
  TsvReader reader(path_, options_.limits);
  const std::size_t answer = reader.column("answer"), image = reader.column("image");
  if (image != TsvReader::none) reader.skip(image);
  while (reader.next(row_)) answers_.see(row_[answer]);
}

std::string_view TableLoader::present(const char* name) const {
  return is_missing(cell(name)) ? std::string_view{} : cell(name);
}

std::vector<std::uint8_t> TableLoader::picture(const RecordPlace& place) {
  if (!with_pictures_) return {};
  const std::string image = single_item(present("image"), "image", place);
  const std::string file = single_item(present("image_path"), "image_path", place);
  if (image.size() > longest_reference) return decode_picture(image, place);
  if (!image.empty()) return pictures_.find(image, place);
  if (file.empty()) return {};
  return beside_.read(file, options_.limits.field_bytes, place, "image_path");
}

void TableLoader::fill(Problem& problem, const RecordPlace& place) const {
  for (std::size_t i = 0; i < row_.size(); ++i)
    place.check(is_utf8(row_[i]), reader_.columns()[i], "not UTF-8");
  problem.index = cell("index");
  problem.question = cell("question");
  problem.category = parse_domain(cell("category"), place);
  problem.subfield = canonical_subfield(present("subfield"));
  problem.reasoning = parse_reasoning(present("reasoning_type"), options_.limits, place);
  place.check(!problem.index.empty(), "index", "empty");
  place.check(!problem.question.empty(), "question", "empty");
  fill_answer(problem, place);
  fill_extra(problem, place);
}

void TableLoader::fill_answer(Problem& problem, const RecordPlace& place) const {
  problem.form = form_;
  if (form_ == Form::mc) {
    problem.answer = parse_letter(cell("answer"), place);
    auto options = options_of_prompt(problem.question);
    place.check(options.has_value(), "question", "no options A to D after \"OPTION:\"");
    for (const std::string& option : *options)
      place.check_length(option, options_.limits.answer_bytes, "question, an option");
    problem.options = std::move(*options);
  } else {
    place.check_length(cell("answer"), options_.limits.answer_bytes, "answer");
    problem.answer = options_.pandas_answers ? answers_.text(cell("answer")) : cell("answer");
    place.check(!problem.answer.empty(), "answer", "empty");
  }
}

bool TableLoader::flag(const char* column, bool otherwise, const RecordPlace& place) const {
  const std::string_view text = cell(column);
  if (text.empty()) return otherwise;
  const bool yes = text == "true" || text == "True";
  if (!yes && text != "false" && text != "False")
    place.fail(column, "neither true nor false: " + shown_text(text));
  return yes;
}

// Columns of the synthetic suite; defaults if absent.
void TableLoader::fill_extra(Problem& problem, const RecordPlace& place) const {
  problem.split = cell("split");
  problem.template_id = cell("template");
  problem.needs_image = flag("needs_image", true, place);
  problem.layout_only = flag("layout_only", false, place);
  if (!cell("solution").empty()) problem.solution = parse_solution(cell("solution"), place);
  if (problem.solution.principle.empty()) problem.solution.principle = cell("principle");
  if (problem.solution.unit.empty()) problem.solution.unit = cell("unit");
  if (!cell("scene").empty()) problem.scene = parse_scene(cell("scene"), place);
}

}  // namespace gaze::phyx
