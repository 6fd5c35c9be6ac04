// SPDX-License-Identifier: MIT
// The texts of PhyX's files: names of forms and domains, lists, options, and the prompt itself.
//
//   form_of_path, variant_of_path    what a file's name says of it
//   canonical_domain, canonical_subfield   which of the spellings in use means what
//   parse_list, parse_options        the list syntaxes of the tables and of the JSONL
//   render_prompt, options_of_prompt the complete prompt, and the options back out of one
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
Form form_of_path(const std::filesystem::path& path);

/// Names of other origin give the defaults.
Variant variant_of_path(const std::filesystem::path& path);

/// `text` without spaces, tabs and line ends at either end. A form feed stays: in badly escaped
/// JSON it is the start of "\frac".
std::string_view trim_blanks(std::string_view text);

/// A text from outside, shortened, printable and in quotes, for errors.
std::string shown_text(std::string_view text);

/// The domain in the data's spelling: PhyX writes Waves/Acoustics in three ways. Nothing if
/// unknown.
std::optional<std::string> canonical_domain(std::string_view spelling);

/// The subfield in the data's spelling; the paper's tables use singulars and have one misprint. Any
/// other text stays as it is: other suites have their own subfields.
std::string canonical_subfield(std::string_view spelling);

/// The items of a JSON list, a Python list's repr or a comma-separated text, whichever it is; the
/// items themselves hold no commas.
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

/// The options in a prompt's `OPTION: A: … B: … C: … D: …`; nothing when a label is missing.
/// Where an option's text itself holds a label, the leftmost reading in which all four are found
/// wins, and a label followed by white space goes before one that is not.
std::optional<std::array<std::string, 4>> options_of_prompt(std::string_view prompt);

/// PhyX's options as one string: `A:"7.55N",B:"5.55N",…`. A value runs to the first quote that a
/// comma, the next label and a quote follow, or that ends the text; so it may hold commas, quotes
/// and a trailing backslash. Returns (label, value) pairs; nothing when the text does not fit.
std::optional<std::vector<std::pair<char, std::string>>> parse_options(std::string_view raw);

}  // namespace gaze::phyx
