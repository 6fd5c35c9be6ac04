// SPDX-License-Identifier: MIT
// A table's rows as problems, one in memory at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "phyx/data/fields.hpp"
#include "phyx/data/pictures.hpp"
#include "phyx/data/tsv.hpp"

namespace gaze::phyx {

/// How a file of problems is read.
struct LoadOptions {
  std::optional<Form> form;         // else from the file's name, see form_of_path
  bool keep_without_image = false;  // the official code drops rows without a picture
  // false: the pictures are passed over unread, and every row is kept. So a table of any size needs
  // no more memory than its texts.
  bool pictures = true;
  // Open-ended truths as the official scorer sees them after pandas: a missing one is "nan", and
  // in an all-numeric column "12" may become "12.0". Otherwise they stay as written.
  bool pandas_answers = false;
  // JSONL only: what becomes of a record. A table's `question` is the complete prompt already.
  TextSetting text = TextSetting::simplified;
  bool caption = false;               // the caption goes before the text, in place of the picture
  std::filesystem::path pictures_at;  // else the file's own folder, see PictureFolder
  TsvLimits limits;
};

struct LoadResult {
  std::vector<Problem> problems;
  std::size_t dropped = 0;  // rows without a picture
};

namespace detail {

/// Turns a table's rows into problems.
class TableLoader {
 public:
  TableLoader(const std::filesystem::path& path, const LoadOptions& options)
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

  /// The next problem; nothing at the end. Counts the rows that it passes over.
  std::optional<Problem> next() {
    while (reader_.next(row_)) {
      const Place place{"read_tsv", reader_.name(), "row", reader_.row()};
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

  std::size_t dropped() const noexcept { return dropped_; }
  /// The row that next() gave.
  std::size_t row() const noexcept { return reader_.row(); }
  /// Its cells, and the names of the columns.
  const TsvReader::Row& cells() const noexcept { return row_; }
  const TsvReader::Row& columns() const noexcept { return reader_.columns(); }
  /// Its cell in column `name`, as written; empty when there is no such column.
  std::string_view cell(const char* name) const {
    const std::size_t at = reader_.column(name);
    return at == TsvReader::none ? std::string_view{} : std::string_view(row_[at]);
  }
  /// Whether rows may name files for their pictures.
  bool pictures_beside() const noexcept {
    return with_pictures_ && reader_.column("image_path") != TsvReader::none;
  }

 private:
  void require(const char* name) const {
    GAZE_CHECK(reader_.column(name) != TsvReader::none, "read_tsv", reader_.name(),
               " header: no column ", name);
  }

  void infer_answers() {
    TsvReader reader(path_, options_.limits);
    const std::size_t answer = reader.column("answer"), image = reader.column("image");
    if (image != TsvReader::none) reader.skip(image);
    while (reader.next(row_)) answers_.see(row_[answer]);
  }

  std::string_view present(const char* name) const {
    return is_missing(cell(name)) ? std::string_view{} : cell(name);
  }

  std::vector<std::uint8_t> picture(const Place& place) {
    if (!with_pictures_) return {};
    const std::string image = single_item(present("image"), "image", place);
    const std::string file = single_item(present("image_path"), "image_path", place);
    if (image.size() > longest_reference) return decode_picture(image, place);
    if (!image.empty()) return pictures_.find(image, place);
    if (file.empty()) return {};
    return beside_.read(file, options_.limits.field_bytes, place, "image_path");
  }

  /// The official tools put the pictures of x_local.tsv under images/x.
  static std::string images_of(const std::filesystem::path& path) {
    std::string name = path.stem().string();
    if (name.ends_with("_local")) name.resize(name.size() - 6);
    return "images/" + name;
  }

  void fill(Problem& problem, const Place& place) const {
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

  void fill_answer(Problem& problem, const Place& place) const {
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

  /// The synthetic suite's columns; a table without them leaves the defaults.
  void fill_extra(Problem& problem, const Place& place) const {
    problem.split = cell("split");
    problem.template_id = cell("template");
    const std::string_view needs = cell("needs_image");
    problem.needs_image = needs != "false" && needs != "False";
    if (problem.needs_image && !needs.empty() && needs != "true" && needs != "True")
      place.fail("needs_image", "neither true nor false: " + shown(needs));
    if (!cell("solution").empty()) problem.solution = parse_solution(cell("solution"), place);
    if (problem.solution.principle.empty()) problem.solution.principle = cell("principle");
    if (problem.solution.unit.empty()) problem.solution.unit = cell("unit");
    if (!cell("scene").empty()) problem.scene = parse_scene(cell("scene"), place);
  }

  std::filesystem::path path_;
  LoadOptions options_;
  Form form_;
  bool with_pictures_;
  TsvReader reader_;
  PictureFinder pictures_;
  PictureFolder beside_;
  ColumnType answers_;
  TsvReader::Row row_;
  std::size_t dropped_ = 0;
};

}  // namespace detail

}  // namespace gaze::phyx
