// SPDX-License-Identifier: MIT
// Parsing and rendering the texts of PhyX's files.
#include "phyx/data/prompt.hpp"

#include <algorithm>
#include <cstddef>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/text/strings.hpp"

namespace gaze::phyx {

namespace {

constexpr std::string_view blanks = " \t\r\n";

}  // namespace

Form form_of_path(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (name.find("_MC") != std::string::npos) return Form::mc;
  GAZE_CHECK(name.find("_OE") != std::string::npos, "form_of_path", path.string(),
             ": the name contains neither _MC nor _OE; set --form");
  return Form::oe;
}

Variant variant_of_path(const std::filesystem::path& path) {
  const std::string name = "_" + path.stem().string() + "_";
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  const auto text = has("_FT_")   ? TextSetting::full
                    : has("_TM_") ? TextSetting::minimal
                                  : TextSetting::simplified;
  return {has("_mini_"), has("_TL_"), has("_local_"), text};
}

std::string_view trim_blanks(std::string_view text) { return text::trim(text, blanks); }

std::string shown_text(std::string_view text) {
  constexpr std::size_t most = 60;
  return "\"" + printable(text, most) + "\"";
}

std::optional<std::string> canonical_domain(std::string_view spelling) {
  const std::string_view name = trim_blanks(spelling);
  for (const char* domain : domains)
    if (name == domain) return std::string(domain);
  for (const char* other : {"Wave/Acoustics", "Waves & Acoustics", "Wave & Acoustics",
                            "Waves and Acoustics", "Wave and Acoustics"})
    if (name == other) return "Waves/Acoustics";
  return std::nullopt;
}

std::string canonical_subfield(std::string_view spelling) {
  const std::string_view name = trim_blanks(spelling);
  if (name == "Optical Instrument") return "Optical Instruments";
  if (name == "Electromagnetic Wave") return "Electromagnetic Waves";
  if (name == "Relational Motion") return "Rotational Motion";
  return std::string(name);
}

std::vector<std::string> parse_list(std::string_view text) {
  text = trim_blanks(text);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = trim_blanks(text.substr(1, text.size() - 2));
  std::vector<std::string> items;
  while (!text.empty()) {  // trimmed at the end, so another item follows
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = trim_blanks(text.substr(0, comma));
    const bool quoted = item.size() >= 2 && item.front() == item.back() &&
                        (item.front() == '"' || item.front() == '\'');
    if (quoted) item = item.substr(1, item.size() - 2);
    items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

std::string render_prompt(Form form, const std::string& description, const std::string& question,
                          const std::array<std::string, 4>& options) {
  std::string prompt = description.empty() ? question : description + " " + question;
  if (form == Form::oe) return prompt.append(reasoning_instruction);
  prompt += letter_instruction;
  for (std::size_t i = 0; i < 4; ++i) {
    prompt += ' ';
    prompt += static_cast<char>('A' + i);
    prompt += ": " + options[i];
  }
  return prompt;
}

std::string list_options(const std::array<std::string, 4>& options) {
  std::string out;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].empty()) continue;
    if (!out.empty()) out += ' ';
    (out += static_cast<char>('A' + i)).append(": ") += options[i];
  }
  return out;
}

std::string_view bare_prompt(std::string_view prompt) {
  const std::size_t choice = prompt.rfind(letter_instruction);
  if (choice != prompt.npos) return prompt.substr(0, choice);
  if (prompt.ends_with(reasoning_instruction)) prompt.remove_suffix(reasoning_instruction.size());
  return prompt;
}

std::optional<std::array<std::string, 4>> options_of_prompt(std::string_view prompt) {
  static constexpr std::string_view marker = "OPTION:";
  const std::size_t found = prompt.rfind(marker);
  if (found == prompt.npos) return std::nullopt;
  const std::string_view text = prompt.substr(found + marker.size());
  const auto split = [&](bool spaced) -> std::optional<std::array<std::string, 4>> {
    std::array<std::string, 4> options;
    std::size_t start = 0;  // start of the previous option's text
    for (std::size_t label = 0, at = 0; label < 4; ++at) {
      if (at + 1 >= text.size()) return std::nullopt;
      const bool fits =
          text[at] == static_cast<char>('A' + label) && text[at + 1] == ':' &&
          (at == 0 || blanks.find(text[at - 1]) != blanks.npos) &&
          (!spaced || at + 2 == text.size() || blanks.find(text[at + 2]) != blanks.npos);
      if (!fits) continue;
      if (label > 0) options[label - 1] = trim_blanks(text.substr(start, at - start));
      start = at + 2;
      ++label;
    }
    options[3] = trim_blanks(text.substr(start));
    return options;
  };
  auto options = split(true);
  return options ? options : split(false);
}

std::optional<std::vector<std::pair<char, std::string>>> parse_options(std::string_view raw) {
  const std::string_view text = trim_blanks(raw);
  const auto past_blanks = [&](std::size_t at) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    return at;
  };
  const auto is = [&](std::size_t at, char c) { return at < text.size() && text[at] == c; };
  const auto opening = [&](std::size_t at) -> std::size_t {  // index after `B: "`, or npos
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
    if (options.size() == 26) return std::nullopt;  // no labels left
    options.emplace_back(text[label], text.substr(start, quote - start));
    label = next;
  }
  return options;
}

}  // namespace gaze::phyx
