// SPDX-License-Identifier: MIT
// Converting JSONL records to problems.
#include "phyx/data/jsonl.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/input_file.hpp"

namespace gaze::phyx {

bool read_line(std::istream& stream, std::string& line, std::size_t max_bytes,
               const RecordPlace& place) {
  line.clear();
  std::streambuf& buffer = *stream.rdbuf();
  int c = buffer.sbumpc();
  if (c == std::char_traits<char>::eof()) return false;
  for (; c != '\n' && c != std::char_traits<char>::eof(); c = buffer.sbumpc()) {
    if (line.size() == max_bytes) place.fail("over " + std::to_string(max_bytes) + " bytes");
    line += static_cast<char>(c);
  }
  return true;
}

namespace {

// The options of a record as (label, value) pairs: one string, or a list of "A: 28.5 m".
std::optional<std::vector<std::pair<char, std::string>>> options_of_record(
    const io::Json& record, const RecordPlace& place) {
  const auto found = record.find("options");
  if (found == record.end() || !found->is_array())
    return parse_options(required_text(record, "options", place));
  std::vector<std::pair<char, std::string>> options;
  for (const std::string& item : optional_texts(record, "options", place, "options")) {
    const std::string_view text = trim_blanks(item);
    if (text.size() < 2 || text[1] != ':' || text[0] < 'A' || text[0] > 'Z') return std::nullopt;
    options.emplace_back(text[0], trim_blanks(text.substr(2)));
  }
  return options;
}

// The options of a record: A to D exactly once each, in any order.
std::array<std::string, 4> four_options(const io::Json& record, const RecordPlace& place) {
  const auto parsed = options_of_record(record, place);
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

// The description that precedes the question; releases of PhyX differ in the key.
std::string description_of(const io::Json& record, TextSetting setting, const RecordPlace& place) {
  using Keys = std::array<const char*, 3>;
  if (setting == TextSetting::minimal) return {};
  const bool full = setting == TextSetting::full;
  for (const char* key :
       full ? Keys{"question_description", "description", "question_full"}
            : Keys{"question_simply", "question_description_simplified", "question_simplified"})
    if (record.contains(key)) return optional_text(record, key, place, key);
  place.fail(full ? "question_description" : "question_simply", "missing");
}

// The text before the question: the caption (if it replaces the picture), then the description.
std::string lead_of(const io::Json& record, const LoadOptions& options, const RecordPlace& place) {
  std::string lead = description_of(record, options.text, place);
  if (!options.caption) return lead;
  const std::string caption = required_text(record, "image_caption", place);
  return lead.empty() ? caption : caption + " " + lead;
}

}  // namespace

JsonlLoader::JsonlLoader(const std::filesystem::path& path, LoadOptions options)
    : name_(path.string()),
      pictures_(path, options.pictures_at, {"test_image", "image", "images"}),
      options_(std::move(options)),
      form_(options_.form ? *options_.form : form_of_path(path)),
      file_(io::open_regular_file(path, "read_jsonl")) {}

std::optional<Problem> JsonlLoader::next() {
  for (;;) {
    const RecordPlace place{"read_jsonl", name_, "line", ++number_};
    if (!read_line(*file_, line_, options_.limits.field_bytes, place)) return std::nullopt;
    if (!trim_blanks(line_).empty()) return problem(parse_object(line_, place, "record"), place);
  }
}

Problem JsonlLoader::problem(const io::Json& record, const RecordPlace& place) const {
  Problem out;
  out.index = required_text(record, record.contains("index") ? "index" : "id", place);
  out.form = form_;
  const auto options = four_options(record, place);
  for (const std::string& option : options)
    place.check_length(option, options_.limits.answer_bytes, "options");
  const std::string letter = parse_letter(required_text(record, "answer", place), place);
  out.question = render_prompt(form_, lead_of(record, options_, place),
                               required_text(record, "question", place), options);
  if (form_ == Form::mc) out.options = options;
  out.answer = form_ == Form::mc ? letter : options[static_cast<std::size_t>(letter[0] - 'A')];
  out.category = parse_domain(required_text(record, "category", place), place);
  out.subfield = canonical_subfield(optional_text(record, "subfield", place, "subfield"));
  const auto types = record.find("reasoning_type");
  if (types != record.end() && !types->is_null())
    out.reasoning =
        types->is_string()
            ? parse_reasoning(types->get<std::string>(), options_.limits, place)
            : checked_reasoning(optional_texts(record, "reasoning_type", place, "reasoning_type"),
                                place);
  if (pictures_beside())
    out.image = pictures_.read(required_text(record, "image", place), options_.limits.field_bytes,
                               place, "image");
  return out;
}

std::vector<Problem> load_jsonl(const std::filesystem::path& path,
                                const std::filesystem::path& folder, Form form, TextSetting setting,
                                TsvLimits limits) {
  LoadOptions options;
  options.form = form;
  options.text = setting;
  options.pictures_at = folder;
  options.limits = limits;
  JsonlLoader loader(path, options);
  std::vector<Problem> problems;
  while (auto problem = loader.next()) problems.push_back(std::move(*problem));
  return problems;
}

}  // namespace gaze::phyx
