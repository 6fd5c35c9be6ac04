// SPDX-License-Identifier: MIT
// PhyX-style problem files in and out.
//
//   for_each_problem, load_tsv   a table: PhyX's own, or the synthetic suite's with extra columns
//   load_jsonl                   one JSON object per line beside a folder of pictures
//   write_tsv                    the table that load_tsv reads back to the same problems
//   form_of_path, canonical_domain, render_prompt, parse_options …   the conventions they share
//
// Files are hostile until parsed: every error names the file, the row (1 is the first below the
// header; for JSONL the line) and the field.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/base64.hpp"
#include "phyx/problem.hpp"
#include "phyx/tsv.hpp"

namespace gaze::phyx {

/// How a table is read.
struct LoadOptions {
  std::optional<Form> form;         // else from the file's name, see form_of_path
  bool keep_without_image = false;  // the official code drops rows without a picture
  // Open-ended truths as the official scorer sees them after pandas: a missing one is "nan", and
  // in an all-numeric column "12" may become "12.0". Otherwise they stay as written.
  bool pandas_answers = false;
  TsvLimits limits;
};

struct LoadResult {
  std::vector<Problem> problems;
  std::size_t dropped = 0;  // rows without a picture
};

/// Which description goes before the question in JSONL problems: PhyX's three text settings.
enum class TextSetting { full, simplified, minimal };

/// Form::mc for a name that holds `_MC`, else Form::oe for one that holds `_OE`, else an Error.
inline Form form_of_path(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (name.find("_MC") != std::string::npos) return Form::mc;
  GAZE_CHECK(name.find("_OE") != std::string::npos, "form_of_path", path.string(),
             ": the name holds neither _MC nor _OE");
  return Form::oe;
}

namespace detail {

/// Where in the input one is; turns a complaint into an Error that says so.
struct Place {
  std::string_view where;  // the function: "read_tsv"
  std::string_view file;
  std::string_view unit;  // "row" or "line"
  std::size_t number;

  [[noreturn]] void fail(std::string_view field, const std::string& complaint) const {
    GAZE_FAIL(std::string(where), file, " ", unit, " ", number, ", ", field, ": ", complaint);
  }
  void check(bool condition, std::string_view field, const char* complaint) const {
    if (!condition) fail(field, complaint);
  }
};

inline std::string_view trim(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// A text from outside, shortened and in quotes, for errors.
inline std::string shown(std::string_view text) {
  return "\"" + std::string(text.substr(0, 60)) + (text.size() > 60 ? "...\"" : "\"");
}

inline bool is_picture(std::span<const std::uint8_t> bytes) noexcept {
  static constexpr std::array<std::uint8_t, 8> png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  static constexpr std::array<std::uint8_t, 3> jpeg = {0xFF, 0xD8, 0xFF};
  const auto starts_with = [&](std::span<const std::uint8_t> magic) {
    return bytes.size() > magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
  };
  return starts_with(png) || starts_with(jpeg);
}

/// An `image` cell this short is the index of another row; the smallest PNG needs 92 characters.
inline constexpr std::size_t longest_reference = 64;

}  // namespace detail

/// The domain in the data's spelling: PhyX writes Waves/Acoustics in three ways. Nothing if
/// unknown.
inline std::optional<std::string> canonical_domain(std::string_view spelling) {
  const std::string_view name = detail::trim(spelling);
  for (const char* domain : domains)
    if (name == domain) return std::string(domain);
  for (const char* other : {"Wave/Acoustics", "Waves & Acoustics", "Wave & Acoustics",
                            "Waves and Acoustics", "Wave and Acoustics"})
    if (name == other) return "Waves/Acoustics";
  return std::nullopt;
}

/// The items of a JSON list, a Python list's repr or a comma-separated text, whichever it is; the
/// items themselves hold no commas.
inline std::vector<std::string> parse_list(std::string_view text) {
  text = detail::trim(text);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  std::vector<std::string> items;
  while (!detail::trim(text).empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = detail::trim(text.substr(0, comma));
    const bool quoted = item.size() >= 2 && item.front() == item.back() &&
                        (item.front() == '"' || item.front() == '\'');
    if (quoted) item = item.substr(1, item.size() - 2);
    items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

/// The complete prompt, exactly as PhyX's tables hold it. `description` may be empty (the minimal
/// text setting); `options` matter to multiple choice only.
inline std::string render_prompt(Form form, const std::string& description,
                                 const std::string& question,
                                 const std::array<std::string, 4>& options = {}) {
  std::string prompt = description.empty() ? question : description + " " + question;
  if (form == Form::oe) return prompt + " Please answer the question with step by step reasoning.";
  prompt +=
      "Please directly answer the question and provide the correct OPTION LETTER ONLY, "
      "e.g., A, B, C, D. OPTION: ";
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) prompt += ' ';
    prompt += static_cast<char>('A' + i);
    prompt += ": " + options[i];
  }
  return prompt;
}

/// The options in a prompt's `OPTION: A: … B: … C: … D: …`; nothing when a label is missing.
/// Where an option's text itself holds a label, the leftmost reading in which all four are found
/// wins, and a label followed by white space goes before one that is not.
inline std::optional<std::array<std::string, 4>> options_of_prompt(std::string_view prompt) {
  static constexpr std::string_view marker = "OPTION:", blank = " \t\r\n";
  const std::size_t found = prompt.rfind(marker);
  if (found == prompt.npos) return std::nullopt;
  const std::string_view text = prompt.substr(found + marker.size());
  const auto split = [&](bool spaced) -> std::optional<std::array<std::string, 4>> {
    std::array<std::string, 4> options;
    std::size_t start = 0;  // where the text of the option before begins
    for (std::size_t label = 0, at = 0; label < 4; ++at) {
      if (at + 1 >= text.size()) return std::nullopt;
      const bool fits =
          text[at] == static_cast<char>('A' + label) && text[at + 1] == ':' &&
          (at == 0 || blank.find(text[at - 1]) != blank.npos) &&
          (!spaced || at + 2 == text.size() || blank.find(text[at + 2]) != blank.npos);
      if (!fits) continue;
      if (label > 0) options[label - 1] = detail::trim(text.substr(start, at - start));
      start = at + 2;
      ++label;
    }
    options[3] = detail::trim(text.substr(start));
    return options;
  };
  auto options = split(true);
  return options ? options : split(false);
}

/// PhyX's options as one string: `A:"7.55N",B:"5.55N",…`. A value runs to the first quote that a
/// comma, the next label and a quote follow, or that ends the text; so it may hold commas, quotes
/// and a trailing backslash. Returns (label, value) pairs; nothing when the text does not fit.
inline std::optional<std::vector<std::pair<char, std::string>>> parse_options(
    std::string_view raw) {
  const std::string_view text = detail::trim(raw);
  const auto past_blanks = [&](std::size_t at) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    return at;
  };
  const auto is = [&](std::size_t at, char c) { return at < text.size() && text[at] == c; };
  const auto opening = [&](std::size_t at) -> std::size_t {  // after `B: "`, or npos
    if (at >= text.size() || text[at] < 'A' || text[at] > 'Z') return text.npos;
    at = past_blanks(at + 1);
    if (!is(at, ':')) return text.npos;
    at = past_blanks(at + 1);
    return is(at, '"') ? at + 1 : text.npos;
  };
  std::vector<std::pair<char, std::string>> options;
  for (std::size_t label = 0; label < text.size();) {
    const std::size_t start = opening(label);
    if (start == text.npos) return std::nullopt;
    std::size_t quote = text.find('"', start), next = text.size();
    for (; quote != text.npos; quote = text.find('"', quote + 1)) {
      const std::size_t comma = past_blanks(quote + 1);
      next = is(comma, ',') ? past_blanks(comma + 1) : text.size();
      if (quote + 1 == text.size() || (is(comma, ',') && opening(next) != text.npos)) break;
    }
    if (quote == text.npos) return std::nullopt;
    options.emplace_back(text[label], text.substr(start, quote - start));
    label = next;
  }
  return options;
}

namespace detail {

using Json = nlohmann::json;

inline std::string json_text(const Json& object, const char* key, const Place& place,
                             std::string_view field) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (!found->is_string()) place.fail(field, std::string(key) + " is not a string");
  return found->get<std::string>();
}

inline std::vector<std::string> json_texts(const Json& object, const char* key, const Place& place,
                                           std::string_view field) {
  std::vector<std::string> texts;
  const auto found = object.find(key);
  if (found == object.end()) return texts;
  if (!found->is_array()) place.fail(field, std::string(key) + " is not a list");
  for (const Json& item : *found) {
    if (!item.is_string()) place.fail(field, std::string(key) + " holds what is not a string");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

inline Json json_object(std::string_view text, const Place& place, std::string_view field) {
  Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) place.fail(field, "not a JSON object: " + shown(text));
  return object;
}

inline Solution parse_solution(std::string_view text, const Place& place) {
  const Json json = json_object(text, place, "solution");
  return {json_texts(json, "look", place, "solution"),
          json_text(json, "principle", place, "solution"),
          json_texts(json, "steps", place, "solution"), json_text(json, "value", place, "solution"),
          json_text(json, "unit", place, "solution")};
}

inline Region parse_region(const Json& json, const Place& place) {
  place.check(json.is_object(), "scene", "a region is not an object");
  Region region;
  region.name = json_text(json, "name", place, "scene");
  const auto box = json.find("box");
  place.check(box != json.end() && box->is_array() && box->size() == 4, "scene",
              "a region's box is not [x0,y0,x1,y1]");
  float* corners[] = {&region.x0, &region.y0, &region.x1, &region.y1};
  for (std::size_t i = 0; i < 4; ++i) {
    place.check((*box)[i].is_number(), "scene", "a region's box holds what is not a number");
    *corners[i] = (*box)[i].get<float>();
    place.check(*corners[i] >= 0 && *corners[i] <= 1, "scene", "a region's box leaves 0 to 1");
  }
  place.check(region.x0 <= region.x1 && region.y0 <= region.y1, "scene",
              "a region's box is upside down");
  return region;
}

inline Scene parse_scene(std::string_view text, const Place& place) {
  const Json json = json_object(text, place, "scene");
  Scene scene{
      json_text(json, "caption", place, "scene"), json_texts(json, "slots", place, "scene"), {}, {}};
  const auto read = [&](const char* key, std::vector<Region>& to) {
    const auto list = json.find(key);
    if (list == json.end()) return;
    if (!list->is_array()) place.fail("scene", std::string(key) + " is not a list");
    for (const Json& region : *list) to.push_back(parse_region(region, place));
  };
  read("regions", scene.regions);
  read("labels", scene.labels);
  return scene;
}

inline std::string parse_domain(std::string_view text, const Place& place) {
  const auto domain = canonical_domain(text);
  if (!domain) place.fail("category", "unknown domain " + shown(text));
  return *domain;
}

inline std::vector<std::string> checked_reasoning(std::vector<std::string> types,
                                                  const Place& place) {
  std::vector<std::string> unique;
  for (std::string& type : types) {
    if (std::find(reasoning_types.begin(), reasoning_types.end(), type) == reasoning_types.end())
      place.fail("reasoning_type", "unknown type " + shown(type));
    if (std::find(unique.begin(), unique.end(), type) == unique.end())
      unique.push_back(std::move(type));
  }
  return unique;
}

inline std::string parse_letter(std::string_view text, const Place& place) {
  const std::string letter(trim(text));
  if (letter.size() != 1 || letter[0] < 'A' || letter[0] > 'D')
    place.fail("answer", "not a letter from A to D: " + shown(text));
  return letter;
}

inline std::vector<std::uint8_t> decode_picture(std::string_view text, const Place& place) {
  place.check(!text.starts_with('['), "image", "a list of pictures; a problem has one");
  std::vector<std::uint8_t> bytes;
  try {
    bytes = base64_decode(text);
  } catch (const Error& error) {
    const std::string_view what = error.what();  // "[gaze::base64_decode] not base64 at …"
    place.fail("image", std::string(what.substr(what.find("] ") + 2)));
  }
  place.check(is_picture(bytes), "image", "not a PNG or JPEG");
  return bytes;
}

/// A picture beside the table. `name` may not leave `folder`, whoever wrote it.
inline std::vector<std::uint8_t> read_picture(const std::filesystem::path& folder,
                                              std::string_view name, std::size_t most_bytes,
                                              const Place& place, std::string_view field) {
  const std::filesystem::path relative(name);
  bool inside = relative.is_relative() && name.find('\0') == name.npos;
  for (const auto& part : relative) inside = inside && part != "..";
  if (!inside) place.fail(field, "leaves the folder: " + shown(name));
  std::error_code error;
  const std::filesystem::path path = folder / relative;
  const auto size = std::filesystem::file_size(path, error);
  if (error) place.fail(field, "cannot read " + shown(name));
  place.check(size <= most_bytes, field, "the picture's file is too large");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) place.fail(field, "cannot read " + shown(name));
  place.check(is_picture(bytes), field, "not a PNG or JPEG");
  return bytes;
}

/// Finds the picture of a row by the row's index, wherever in the table it is. It remembers where
/// rows start, not what they hold, so a table of any size streams.
class PictureFinder {
 public:
  PictureFinder(const std::filesystem::path& path, TsvLimits limits)
      : path_(path), limits_(limits) {}

  std::vector<std::uint8_t> find(const std::string& index, const Place& place) {
    if (!reader_) reader_.emplace(path_, limits_);
    const std::size_t index_at = reader_->column("index"), image_at = reader_->column("image");
    auto known = starts_.find(index);
    if (known != starts_.end()) {
      reader_->seek(known->second.first, known->second.second);
      reader_->next(row_);
    } else {
      if (scanned_row_ > 0) {  // go on after the last row that was scanned
        reader_->seek(scanned_offset_, scanned_row_);
        reader_->next(row_);
      }
      do {
        if (!reader_->next(row_)) place.fail("image", "refers to no row: " + shown(index));
        scanned_offset_ = reader_->row_offset();
        scanned_row_ = reader_->row();
        starts_.try_emplace(row_[index_at], scanned_offset_, scanned_row_);
      } while (row_[index_at] != index);
    }
    if (row_[image_at].size() <= longest_reference)
      place.fail("image", "refers to row " + shown(index) + ", which has no picture of its own");
    return decode_picture(row_[image_at], place);
  }

 private:
  std::filesystem::path path_;
  TsvLimits limits_;
  std::optional<TsvReader> reader_;
  TsvReader::Row row_;
  std::unordered_map<std::string, std::pair<std::uint64_t, std::size_t>> starts_;
  std::uint64_t scanned_offset_ = 0;
  std::size_t scanned_row_ = 0;
};

/// Turns a table's rows into problems.
class TableLoader {
 public:
  TableLoader(const std::filesystem::path& path, const LoadOptions& options)
      : path_(path),
        options_(options),
        form_(options.form ? *options.form : form_of_path(path)),
        reader_(path, options.limits),
        pictures_(path, options.limits) {
    for (const char* name : {"index", "question", "answer", "category"}) require(name);
    if (reader_.column("image_path") == TsvReader::none) require("image");
    if (options.pandas_answers) infer_answers();
  }

  /// The next problem; nothing at the end. Counts the rows that it passes over.
  std::optional<Problem> next() {
    while (reader_.next(row_)) {
      const Place place{"read_tsv", reader_.name(), "row", reader_.row()};
      Problem problem;
      problem.image = picture(place);
      if (!problem.image.empty() || options_.keep_without_image) {
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

 private:
  void require(const char* name) const {
    GAZE_CHECK(reader_.column(name) != TsvReader::none, "read_tsv", reader_.name(),
               " header: no column ", name);
  }

  void infer_answers() {
    TsvReader reader(path_, options_.limits);
    const std::size_t answer = reader.column("answer");
    while (reader.next(row_)) answers_.see(row_[answer]);
  }

  /// The cell in column `name`; empty when there is no such column.
  std::string_view cell(const char* name) const {
    const std::size_t at = reader_.column(name);
    return at == TsvReader::none ? std::string_view{} : std::string_view(row_[at]);
  }
  std::string_view present(const char* name) const {
    return is_missing(cell(name)) ? std::string_view{} : cell(name);
  }

  std::vector<std::uint8_t> picture(const Place& place) {
    const std::string_view image = present("image"), file = present("image_path");
    if (image.size() > longest_reference) return decode_picture(image, place);
    if (!image.empty()) return pictures_.find(std::string(image), place);
    if (file.empty()) return {};
    return read_picture(path_.parent_path(), file, options_.limits.field_bytes, place,
                        "image_path");
  }

  void fill(Problem& problem, const Place& place) const {
    for (std::size_t i = 0; i < row_.size(); ++i)
      place.check(is_utf8(row_[i]), reader_.columns()[i], "not UTF-8");
    problem.index = cell("index");
    problem.question = cell("question");
    problem.category = parse_domain(cell("category"), place);
    problem.subfield = present("subfield");
    problem.reasoning = checked_reasoning(parse_list(present("reasoning_type")), place);
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
      problem.options = std::move(*options);
    } else {
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
  TsvReader reader_;
  PictureFinder pictures_;
  ColumnType answers_;
  TsvReader::Row row_;
  std::size_t dropped_ = 0;
};

}  // namespace detail

/// Calls `use` with each problem of the table at `path`, one in memory at a time. Returns how many
/// rows without a picture were dropped. Throws Error "[gaze::read_tsv] FILE row N, FIELD: …".
inline std::size_t for_each_problem(const std::filesystem::path& path, const LoadOptions& options,
                                    const std::function<void(Problem&&)>& use) {
  detail::TableLoader loader(path, options);
  while (auto problem = loader.next()) use(std::move(*problem));
  return loader.dropped();
}

/// All problems of the table at `path`.
inline LoadResult load_tsv(const std::filesystem::path& path, const LoadOptions& options = {}) {
  LoadResult result;
  result.dropped = for_each_problem(
      path, options, [&](Problem&& problem) { result.problems.push_back(std::move(problem)); });
  return result;
}

namespace detail {

/// The next line without its line end; false at the end of the stream.
inline bool read_line(std::istream& stream, std::string& line, std::size_t most_bytes,
                      const std::string& name, std::size_t number) {
  line.clear();
  std::streambuf& buffer = *stream.rdbuf();
  int c = buffer.sbumpc();
  if (c == std::char_traits<char>::eof()) return false;
  for (; c != '\n' && c != std::char_traits<char>::eof(); c = buffer.sbumpc()) {
    GAZE_CHECK(line.size() < most_bytes, "read_jsonl", name, " line ", number, ": over ",
               most_bytes, " bytes");
    line += static_cast<char>(c);
  }
  return true;
}

/// The options A to D of a JSONL record: exactly these four, each once, in any order.
inline std::array<std::string, 4> four_options(const std::string& raw, const Place& place) {
  const auto parsed = parse_options(raw);
  place.check(parsed && parsed->size() == 4, "options",
              "not A:\"...\",B:\"...\",C:\"...\",D:\"...\"");
  std::array<std::string, 4> options;
  unsigned seen = 0;
  for (const auto& [label, value] : *parsed) {
    place.check(label <= 'D', "options", "a label beyond D");
    const auto i = static_cast<std::size_t>(label - 'A');
    seen |= 1u << i;
    options[i] = value;
  }
  place.check(seen == 15, "options", "a label occurs twice");
  return options;
}

/// The description that a text setting puts before the question; the names changed over time.
inline std::string description_of(const Json& record, TextSetting setting, const Place& place) {
  if (setting == TextSetting::minimal) return {};
  const bool full = setting == TextSetting::full;
  for (const char* key : {full ? "question_description" : "question_simply",
                          full ? "description" : "question_description_simplified"})
    if (record.contains(key)) return json_text(record, key, place, key);
  place.fail(full ? "question_description" : "question_simply", "missing");
}

/// A field that must be there; a whole number counts as its text (`index`).
inline std::string needed_text(const Json& record, const char* key, const Place& place) {
  const auto found = record.find(key);
  if (found != record.end() && found->is_number_integer()) return found->dump();
  place.check(found != record.end() && found->is_string(), key, "missing or not a string");
  return found->get<std::string>();
}

inline Problem jsonl_problem(const Json& record, const std::filesystem::path& folder, Form form,
                             TextSetting setting, std::size_t most_bytes, const Place& place) {
  Problem problem;
  problem.index = needed_text(record, "index", place);
  problem.form = form;
  const auto options = four_options(needed_text(record, "options", place), place);
  const std::string letter = parse_letter(needed_text(record, "answer", place), place);
  problem.question = render_prompt(form, description_of(record, setting, place),
                                   needed_text(record, "question", place), options);
  if (form == Form::mc) problem.options = options;
  problem.answer = form == Form::mc ? letter : options[static_cast<std::size_t>(letter[0] - 'A')];
  problem.category = parse_domain(needed_text(record, "category", place), place);
  problem.subfield = json_text(record, "subfield", place, "subfield");
  const auto types = record.find("reasoning_type");
  if (types != record.end() && !types->is_null())
    problem.reasoning = checked_reasoning(
        types->is_string() ? parse_list(types->get<std::string>())
                           : json_texts(record, "reasoning_type", place, "reasoning_type"),
        place);
  problem.image =
      read_picture(folder, needed_text(record, "image", place), most_bytes, place, "image");
  return problem;
}

}  // namespace detail

/// Problems from one JSON object per line; `image` names a file under `folder`. The same record
/// gives a multiple-choice problem or an open-ended one, whose answer is the right option's text.
inline std::vector<Problem> load_jsonl(const std::filesystem::path& path,
                                       const std::filesystem::path& folder, Form form,
                                       TextSetting setting = TextSetting::full,
                                       TsvLimits limits = {}) {
  std::ifstream file(path, std::ios::binary);
  GAZE_CHECK(file, "read_jsonl", path.string(), ": cannot open");
  std::vector<Problem> problems;
  const std::string name = path.string();
  std::string line;
  for (std::size_t number = 1; detail::read_line(file, line, limits.field_bytes, name, number);
       ++number) {
    if (detail::trim(line).empty()) continue;
    const detail::Place place{"read_jsonl", name, "line", number};
    problems.push_back(detail::jsonl_problem(detail::json_object(line, place, "record"), folder,
                                             form, setting, limits.field_bytes, place));
  }
  return problems;
}

namespace detail {

inline std::string solution_text(const Solution& s) {
  return nlohmann::ordered_json{{"look", s.look},
                                {"principle", s.principle},
                                {"steps", s.steps},
                                {"value", s.value},
                                {"unit", s.unit}}
      .dump();
}

inline std::string scene_text(const Scene& scene) {
  const auto list = [](const std::vector<Region>& regions) {
    auto out = nlohmann::ordered_json::array();
    for (const Region& r : regions)
      out.push_back({{"name", r.name}, {"box", {r.x0, r.y0, r.x1, r.y1}}});
    return out;
  };
  return nlohmann::ordered_json{{"caption", scene.caption},
                                {"slots", scene.slots},
                                {"regions", list(scene.regions)},
                                {"labels", list(scene.labels)}}
      .dump();
}

/// The `image` cells of a table: base64, or the index of the earlier row with the same picture.
class PictureWriter {
 public:
  explicit PictureWriter(const std::vector<Problem>& problems) : problems_(problems) {}

  std::string cell(std::size_t row, const Place& place) {
    const std::vector<std::uint8_t>& image = problems_[row].image;
    if (image.empty()) return {};
    place.check(is_picture(image), "image", "not a PNG or JPEG");
    const std::string_view key(reinterpret_cast<const char*>(image.data()), image.size());
    const auto [first, fresh] = rows_.try_emplace(key, row);
    if (!fresh) return problems_[first->second].index;
    const std::string text = base64_encode(image);
    place.check(text.size() > longest_reference, "image", "too short to be a picture");
    return text;
  }

 private:
  const std::vector<Problem>& problems_;
  std::unordered_map<std::string_view, std::size_t> rows_;  // picture -> the first row with it
};

inline void check_writable(const Problem& problem, Form form, const Place& place) {
  place.check(problem.form == form, "form", "multiple choice and open-ended in one table");
  place.check(!is_missing(problem.index) && problem.index.size() <= longest_reference, "index",
              "not 1 to 64 bytes");
  place.check(!problem.question.empty(), "question", "empty");
  place.check(!problem.answer.empty(), "answer", "empty");
  parse_domain(problem.category, place);
  checked_reasoning(problem.reasoning, place);
  if (form == Form::oe) return;
  parse_letter(problem.answer, place);
  place.check(options_of_prompt(problem.question) == problem.options, "options",
              "not those in the question");
}

}  // namespace detail

/// Writes problems of one form as a table: PhyX's seven columns, then the suite's. Atomic. A
/// picture that an earlier row has is written as that row's index. load_tsv gives the same
/// problems back (those without a picture with keep_without_image).
inline void write_tsv(const std::filesystem::path& path, const std::vector<Problem>& problems) {
  const Form form = problems.empty() ? Form::oe : problems.front().form;
  TsvWriter writer(
      path, {"index", "question", "answer", "image", "category", "subfield", "reasoning_type",
             "split", "template", "needs_image", "principle", "unit", "solution", "scene"});
  const std::string name = path.string();
  detail::PictureWriter pictures(problems);
  std::unordered_map<std::string_view, std::size_t> indices;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const Problem& p = problems[i];
    const detail::Place place{"write_tsv", name, "row", i + 1};
    detail::check_writable(p, form, place);
    place.check(indices.emplace(p.index, i).second, "index", "occurs twice");
    try {
      writer.write({p.index, p.question, p.answer, pictures.cell(i, place), p.category, p.subfield,
                    nlohmann::json(p.reasoning).dump(), p.split, p.template_id,
                    p.needs_image ? "true" : "false", p.solution.principle, p.solution.unit,
                    detail::solution_text(p.solution), detail::scene_text(p.scene)});
    } catch (const nlohmann::json::exception&) {
      place.fail("solution or scene", "not UTF-8");
    }
  }
  writer.finish();
}

}  // namespace gaze::phyx
