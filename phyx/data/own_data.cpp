// SPDX-License-Identifier: MIT
// Converting rows to problems, and splitting them by picture.
#include "phyx/data/own_data.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

#include "gaze/core/error.hpp"
#include "gaze/io/input_file.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/data/jsonl.hpp"
#include "phyx/data/prompt.hpp"

namespace gaze::phyx {

namespace {

constexpr std::array<const char*, 15> own_columns = {
    "id",       "image",       "image_base64", "question", "options",
    "answer",   "response",    "category",     "subfield", "reasoning_type",
    "template", "needs_image", "solution",     "scene",    "meta"};
constexpr std::size_t longest_own_id = 64;  // bytes

/// The value in a column; null if it is missing or JSON's null.
const io::Json* own_value(const io::Json& row, const char* column) {
  const auto found = row.find(column);
  return found == row.end() || found->is_null() ? nullptr : &*found;
}

/// The text in a column that may be missing; "" then. A text of white space alone is an error.
std::string own_text(const io::Json& row, const char* column, std::size_t most,
                     const RecordPlace& place) {
  const io::Json* value = own_value(row, column);
  if (!value) return {};
  place.check(value->is_string(), column, "not a string");
  std::string text = value->get<std::string>();
  place.check(!trim_blanks(text).empty(), column, "empty");
  place.check_length(text, most, column);
  return text;
}

/// The same for a column that may also contain a number (an integer only, unless `decimals`).
std::string own_number_or_text(const io::Json& row, const char* column, std::size_t most,
                               bool decimals, const RecordPlace& place) {
  const io::Json* value = own_value(row, column);
  if (value && (value->is_number_integer() || (decimals && value->is_number())))
    return value->dump();
  if (value && !value->is_string())
    place.fail(column, decimals ? "not a string or a number" : "not a string or an integer");
  return own_text(row, column, most, place);
}

/// The options in their order, from A; all empty for an open-ended row.
std::array<std::string, 4> own_options(const io::Json& row, std::size_t most,
                                       const RecordPlace& place) {
  std::array<std::string, 4> out;
  const io::Json* list = own_value(row, "options");
  if (!list) return out;
  place.check(list->is_array() && list->size() >= 2 && list->size() <= out.size(), "options",
              "not a list of 2 to 4 strings");
  for (std::size_t i = 0; i < list->size(); ++i) {
    place.check((*list)[i].is_string(), "options", "contains an item that is not a string");
    out[i] = trim_blanks((*list)[i].get<std::string>());
    place.check(!out[i].empty(), "options", "contains an empty option");
    place.check_length(out[i], most, "options");
    for (std::size_t k = 0; k < i; ++k)
      place.check(out[k] != out[i], "options", "contains an option twice");
  }
  return out;
}

void check_own_letter(const Problem& p, const RecordPlace& place) {
  const std::string letter = parse_letter(p.answer, place);
  if (p.options[static_cast<std::size_t>(letter[0] - 'A')].empty())
    place.fail("answer", "there is no option " + letter);
}

std::string own_prompt(const std::string& question, const Problem& p) {
  if (p.form == Form::oe) return render_prompt(Form::oe, "", question);
  return question + std::string(letter_instruction) + " " + list_options(p.options);
}

std::string known_own_columns() {
  std::string out;
  for (const char* column : own_columns) out += std::string(out.empty() ? "" : ", ") + column;
  return out;
}

}  // namespace

OwnDataLoader::OwnDataLoader(const std::filesystem::path& path, const LoadOptions& options)
    : name_(path.string()),
      options_(options),
      pictures_(path, options.pictures_at, {}),
      file_(io::open_regular_file(path, "own_data")) {}

std::optional<Problem> OwnDataLoader::next() {
  for (;;) {
    ++number_;
    if (!read_line(*file_, line_, options_.limits.field_bytes, place())) return std::nullopt;
    if (!trim_blanks(line_).empty()) return problem(parse_object(line_, place(), "row"));
  }
}

Problem OwnDataLoader::problem(const io::Json& row) {
  const RecordPlace at = place();
  for (const auto& [column, value] : row.items())
    if (std::find(own_columns.begin(), own_columns.end(), column) == own_columns.end())
      at.fail(shown_text(column), "no such column; there are " + known_own_columns());
  const std::size_t most = options_.limits.answer_bytes;
  Problem p;
  p.index = own_number_or_text(row, "id", longest_own_id, false, at);
  if (p.index.empty()) p.index = std::to_string(number_);
  if (!ids_.insert(p.index).second) at.fail("id", shown_text(p.index) + " occurs twice");
  p.options = own_options(row, most, at);
  p.form = p.options[0].empty() ? Form::oe : Form::mc;
  p.answer = trim_blanks(own_number_or_text(row, "answer", most, true, at));
  if (p.form == Form::mc && !p.answer.empty()) check_own_letter(p, at);
  const std::string question = own_text(row, "question", most, at);
  at.check(!question.empty(), "question", "missing");
  p.question = own_prompt(question, p);
  p.response = trim_blanks(own_text(row, "response", most, at));
  p.category = own_text(row, "category", most, at);
  p.subfield = own_text(row, "subfield", most, at);
  p.reasoning = checked_reasoning(own_value(row, "reasoning_type")
                                      ? optional_texts(row, "reasoning_type", at, "reasoning_type")
                                      : std::vector<std::string>(),
                                  at);
  p.template_id = own_text(row, "template", most, at);
  p.needs_image = own_value(row, "image") || own_value(row, "image_base64");
  if (const io::Json* needs = own_value(row, "needs_image")) {
    at.check(needs->is_boolean(), "needs_image", "not true or false");
    p.needs_image = needs->get<bool>();
  }
  for (const char* column : {"solution", "scene"})
    if (const io::Json* value = own_value(row, column))
      at.check(value->is_object(), column, "not an object");
  if (const io::Json* solution = own_value(row, "solution"))
    p.solution = solution_from(*solution, at);
  if (const io::Json* scene = own_value(row, "scene")) p.scene = scene_from(*scene, at);
  p.image = picture(row);
  if (!p.image.empty())
    p.picture_id = io::sha256(std::string(p.image.begin(), p.image.end())).substr(0, 16);
  return p;
}

std::vector<std::uint8_t> OwnDataLoader::picture(const io::Json& row) {
  const RecordPlace at = place();
  const std::size_t most = options_.limits.field_bytes;
  const std::string file = own_text(row, "image", most, at);
  const std::string inline_text = own_text(row, "image_base64", most, at);
  at.check(file.empty() || inline_text.empty(), "image", "there is an image_base64, too");
  in_file_ = !file.empty();
  if (!options_.pictures) return {};
  const bool none = file.empty() && inline_text.empty();
  at.check(!none || options_.pictures_optional, "image", "missing, and no image_base64");
  if (none) return {};
  if (in_file_) return pictures_.read(file, most, at, "image");
  std::string_view text = inline_text;
  if (text.starts_with("data:")) text.remove_prefix(std::min(text.find(',') + 1, text.size()));
  return decode_picture(text, at, "image_base64");
}

std::vector<bool> held_out(const std::vector<std::string>& pictures, double share,
                           std::uint64_t seed) {
  GAZE_CHECK(share > 0 && share < 1, "hold_out", "the share must be between 0 and 1, got ", share);
  std::map<std::string, std::string> order;  // by the hash that orders the pictures
  for (const std::string& picture : pictures)
    order.emplace(io::sha256(std::to_string(seed) + " " + picture), picture);
  const std::size_t count = order.size();
  GAZE_CHECK(count >= 2, "hold_out", "holding out rows by picture needs at least two different ",
             "pictures, there ", count == 1 ? "is " : "are ", count);
  const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(count)));
  std::size_t left = std::clamp<std::size_t>(wanted, 1, count - 1);
  std::set<std::string> chosen;
  for (auto entry = order.begin(); left > 0; ++entry, --left) chosen.insert(entry->second);
  std::vector<bool> out;
  for (const std::string& picture : pictures) out.push_back(chosen.contains(picture));
  return out;
}

}  // namespace gaze::phyx
