// SPDX-License-Identifier: MIT
// Text conventions of PhyX's files: file names, domains, lists, options and prompts.
//
//   form_of_path, variant_of_path    form and variant from a file's name
//   canonical_domain, canonical_subfield   the spelling of the data for any spelling in use
//   parse_list, parse_options        list syntaxes of the tables and the JSONL
//   render_prompt, options_of_prompt, bare_prompt   building a prompt, and reading its parts
#pragma once
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// The description before the question: PhyX's three text settings. Its leaderboard uses
/// `simplified` ("Text-DeRedundancy").
enum class TextSetting { full, simplified, minimal };

/// The variant in the name of a published table: PhyX_[mini_][TL_]{MC|OE}[_FT|_TM][_local].tsv.
struct Variant {
  bool mini = false;     // the 1,000 problems of testmini
  bool caption = false;  // TL: a caption replaces the picture
  bool local = false;    // pictures are separate files
  TextSetting text = TextSetting::simplified;
};

/// Form::mc for a name with `_MC`, else Form::oe for one with `_OE`, else an Error.
Form form_of_path(const std::filesystem::path& path);

/// The variant of a file; defaults for names that do not follow the pattern.
Variant variant_of_path(const std::filesystem::path& path);

/// `text` without spaces, tabs and line ends at either end. A form feed stays: in badly escaped
/// JSON it is the start of "\frac".
std::string_view trim_blanks(std::string_view text);

/// Untrusted text for an error message: shortened, printable, in quotes.
std::string shown_text(std::string_view text);

/// The domain in the data's spelling (PhyX spells Waves/Acoustics in three ways); empty if unknown.
std::optional<std::string> canonical_domain(std::string_view spelling);

/// The subfield in the data's spelling; the paper's tables use singulars and have one misprint.
/// Other texts are returned unchanged: other suites have their own subfields.
std::string canonical_subfield(std::string_view spelling);

/// The items of a JSON list, the repr of a Python list, or comma-separated text. Items must not
/// contain commas.
std::vector<std::string> parse_list(std::string_view text);

/// PhyX's two instructions: the first joins question and options, the second ends an open-ended
/// prompt.
inline constexpr std::string_view letter_instruction =
    "Please directly answer the question and provide the correct OPTION LETTER ONLY, "
    "e.g., A, B, C, D. OPTION:";
inline constexpr std::string_view reasoning_instruction =
    " Please answer the question with step by step reasoning.";

/// The complete prompt, exactly as in PhyX's tables. `description` may be empty (the minimal text
/// setting); `options` are used for multiple choice only.
std::string render_prompt(Form form, const std::string& description, const std::string& question,
                          const std::array<std::string, 4>& options = {});

/// "A: 12 N B: 14 N": the options that are not empty, with their letters.
std::string list_options(const std::array<std::string, 4>& options);

/// The question of a complete prompt: the text before PhyX's instruction and the options. A prompt
/// without an instruction is returned unchanged.
std::string_view bare_prompt(std::string_view prompt);

/// The options in a prompt's `OPTION: A: … B: … C: … D: …`; empty if a label is missing. If an
/// option's text itself contains a label, the leftmost reading with all four labels wins, and
/// labels followed by white space are preferred.
std::optional<std::array<std::string, 4>> options_of_prompt(std::string_view prompt);

/// PhyX's options as one string: `A:"7.55N",B:"5.55N",…`. A value ends at the first quote that is
/// followed by a comma, the next label and a quote, or by the end; so it may contain commas, quotes
/// and a trailing backslash. Returns (label, value) pairs; empty for any other syntax.
std::optional<std::vector<std::pair<char, std::string>>> parse_options(std::string_view raw);

}  // namespace gaze::phyx
