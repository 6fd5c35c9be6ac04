// SPDX-License-Identifier: MIT
// The texts of PhyX's files: names of forms and domains, lists, options, and the prompt itself.
//
//   form_of_path, variant_of_path    what a file's name says of it
//   canonical_domain, canonical_subfield   which of the spellings in use means what
//   parse_list, parse_options        the list syntaxes of the tables and of the JSONL
//   render_prompt, options_of_prompt the complete prompt, and the options back out of one
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Which description goes before the question: PhyX's three text settings. Its leaderboard uses
/// `simplified` ("Text-DeRedundancy").
enum class TextSetting { full, simplified, minimal };

/// What the name of a published table says: PhyX_[mini_][TL_]{MC|OE}[_FT|_TM][_local].tsv.
struct Variant {
  bool mini = false;     // the 1,000 problems of testmini
  bool caption = false;  // TL: a caption stands in for the picture, which the model does not get
  bool local = false;    // pictures lie in files beside the table
  TextSetting text = TextSetting::simplified;
};

/// Form::mc for a name that holds `_MC`, else Form::oe for one that holds `_OE`, else an Error.
inline Form form_of_path(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (name.find("_MC") != std::string::npos) return Form::mc;
  GAZE_CHECK(name.find("_OE") != std::string::npos, "form_of_path", path.string(),
             ": the name holds neither _MC nor _OE; --form says which it is");
  return Form::oe;
}

/// Names of other origin give the defaults.
inline Variant variant_of_path(const std::filesystem::path& path) {
  const std::string name = "_" + path.stem().string() + "_";
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  const auto text = has("_FT_")   ? TextSetting::full
                    : has("_TM_") ? TextSetting::minimal
                                  : TextSetting::simplified;
  return {has("_mini_"), has("_TL_"), has("_local_"), text};
}

namespace detail {

inline std::string_view trim(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// A text from outside, shortened, printable and in quotes, for errors.
inline std::string shown(std::string_view text) {
  constexpr std::size_t most = 60;
  return "\"" + printable(text, most) + "\"";
}

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

/// The subfield in the data's spelling; the paper's tables use singulars and have one misprint. Any
/// other text stays as it is: other suites have their own subfields.
inline std::string canonical_subfield(std::string_view spelling) {
  const std::string_view name = detail::trim(spelling);
  if (name == "Optical Instrument") return "Optical Instruments";
  if (name == "Electromagnetic Wave") return "Electromagnetic Waves";
  if (name == "Relational Motion") return "Rotational Motion";
  return std::string(name);
}

/// The items of a JSON list, a Python list's repr or a comma-separated text, whichever it is; the
/// items themselves hold no commas.
inline std::vector<std::string> parse_list(std::string_view text) {
  text = detail::trim(text);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = detail::trim(text.substr(1, text.size() - 2));
  std::vector<std::string> items;
  while (!text.empty()) {  // it ends in no blank, so there is another item
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
    if (options.size() == 26) return std::nullopt;  // there are no more labels
    options.emplace_back(text[label], text.substr(start, quote - start));
    label = next;
  }
  return options;
}

}  // namespace gaze::phyx
