// SPDX-License-Identifier: MIT
// The response grammar: gold responses for training, parsing, and corrupted responses.
//
//   <think> LOOK . principle PRINCIPLE . STEPS . so CLAIM [: LETTER] </think> <answer> A </answer>
//
// Words are separated by single spaces, so that a word tokeniser loses nothing. LOOK and STEPS are
// phrases joined by " , "; empty sections are omitted with their full stop. CLAIM is "VALUE UNIT",
// or in multiple choice the option's text as the problem prints it followed by the letter, because
// a small model learns the binding of text and letter by copying. A is "VALUE UNIT" or the letter.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// The fixed words of the grammar, shared by the writer, the parser and the rewards.
struct ResponseGrammar {
  std::string_view think_open = "<think>", think_close = "</think>";
  std::string_view answer_open = "<answer>", answer_close = "</answer>";
  std::string_view stop = ".";               // ends a section
  std::string_view comma = ",";              // joins the phrases of a section
  std::string_view principle = "principle";  // opens the section with the principle
  std::string_view so = "so";                // opens the conclusion
  std::string_view letter = ":";             // between the option's text and its letter
};
inline constexpr ResponseGrammar grammar{};

/// A parsed response. `well_formed`: exactly one non-blank think element, then exactly one
/// non-blank answer element, and only white space around them. `answer_text` is a lenient reading
/// for reports: the content of the only answer element, else empty. Rewards use the strict reading,
/// because training exploits anything that a lenient parser forgives.
struct ParsedResponse {
  bool well_formed = false;
  std::string think, answer;  // contents, trimmed; only if well-formed
  int thinks = 0;             // opening think tags seen
  int answers = 0;            // opening answer tags seen
  bool has_tags = false;      // any of the four tags occurs
  std::string answer_text;
};

/// Parses a response. Never throws: the text comes from a model.
ParsedResponse parse_response(std::string_view s);

/// The trimmed content of the answer element; empty unless each answer tag occurs exactly once.
std::string_view only_answer(std::string_view s);

/// The sections of a think text; empty if the text does not follow the grammar.
struct ThinkSections {
  std::string look;                     // before the first stop, unless it is another section
  std::vector<std::string> principles;  // the contents of all "principle …" clauses
  std::vector<std::string> steps;       // all other clauses
  std::string conclusion;               // the last "so …" clause: "12 N : B"
};

/// Splits the content of a think element into sections.
ThinkSections split_think(std::string_view think);

/// Values of a training split, from which corrupted responses draw wrong ones.
struct Lexicon {
  std::vector<std::string> principles, units;              // distinct, sorted
  std::map<std::string, std::vector<std::string>> values;  // per template, for guesses

  static Lexicon from(std::span<const Problem> problems);
};

/// Probabilities of corruption. A response is selected with probability `share`; then each defect
/// is drawn independently, so a response may get several or none.
struct CorruptionMix {
  double share = .5;
  double lazy = .25;       // no look, no calculation, a guessed answer
  double format = .30;     // a tag dropped, duplicated, reversed or left open, or no think element
  double principle = .30;  // another principle
  double unit = .30;       // a wrong unit, or none; only for answers with a unit
};

/// The defects of one response.
struct Corruption {
  bool lazy = false, format = false, principle = false, unit = false;
};

/// The defects drawn by `key`, independent of the problem.
Corruption draw_corruption(const CorruptionMix& mix, std::uint64_t key);

/// The text of the option with this letter. Throws Error unless the letter is A to D.
const std::string& option_text(const Problem& p, std::string_view letter);

/// The response that follows the reference solution. It gets full marks from every reward that the
/// text alone decides; from the attention rewards it gets what the model's attention earns, and
/// without a look section the score of uniform attention. Throws Error for a problem without an
/// answer, or in multiple choice without a right letter.
std::string gold_response(const Problem& problem);

/// The beginning of gold_response() up to the end of its look section, "<think> mass = 5 kg .";
/// empty without a look section.
std::string gold_look(const Problem& problem);

/// A multiple-choice response without reasoning: only the claimed option and its letter.
std::string letter_response(const Problem& problem, char letter);

/// The target of the caption stage: the scene's description. Throws Error if there is none.
std::string caption_response(const Problem& problem);

/// The gold response with the defects drawn by `key` (often none). Supervised training on a share
/// of these gives rewards a choice. Deterministic on every platform.
std::string corrupted_response(const Problem& problem, const Lexicon& lexicon,
                               const CorruptionMix& mix, std::uint64_t key);

}  // namespace gaze::phyx
