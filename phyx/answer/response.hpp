// SPDX-License-Identifier: MIT
// The response grammar: what a model is taught to write, how it is read back, and how it is spoilt.
//
//   <think> LOOK . principle PRINCIPLE . STEPS . so CLAIM [: LETTER] </think> <answer> A </answer>
//
// Words are separated by single spaces, so that a word tokeniser loses nothing. LOOK and STEPS are
// phrases joined by " , "; empty sections are left out with their full stop. CLAIM is "VALUE UNIT",
// or in multiple choice the option's text exactly as the problem prints it with the letter right
// behind it, because a small model must learn to bind a text to its letter by copying. A is
// "VALUE UNIT" or the letter.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// The fixed words of the grammar, in one place: the writer, the parser and the rewards share them.
struct ResponseGrammar {
  std::string_view think_open = "<think>", think_close = "</think>";
  std::string_view answer_open = "<answer>", answer_close = "</answer>";
  std::string_view stop = ".";               // ends a section
  std::string_view comma = ",";              // joins the phrases of a section
  std::string_view principle = "principle";  // opens the section that names it
  std::string_view so = "so";                // opens the conclusion
  std::string_view letter = ":";             // stands between the option's text and its letter
};
inline constexpr ResponseGrammar grammar{};

/// A response taken apart. `well_formed` means: exactly one non-blank think element, then exactly
/// one non-blank answer element, and nothing but white space around them. `answer_text` is the more
/// lenient reading for reports: the content of the only answer element, else empty. Rewards use
/// the strict one, because whatever a lenient parser forgives, training finds.
struct ParsedResponse {
  bool well_formed = false;
  std::string think, answer;  // contents, trimmed; set only when well-formed
  int thinks = 0;             // opening think tags seen
  int answers = 0;            // opening answer tags seen
  bool has_tags = false;      // any of the four tags occurs
  std::string answer_text;
};

/// Parses a response. Never throws: the text comes from a model.
ParsedResponse parse_response(std::string_view s);

/// The trimmed content of the answer element; empty unless each answer tag occurs exactly once.
std::string_view only_answer(std::string_view s);

/// The sections of a think text. Texts that do not follow the grammar give empty sections.
struct ThinkSections {
  std::string look;                     // before the first stop, if it is not another section
  std::vector<std::string> principles;  // the contents of all "principle …" clauses
  std::vector<std::string> steps;       // the clauses that are none of the others
  std::string conclusion;               // the last "so …" clause: "12 N : B"
};

/// Reads the content of a think element, section by section.
ThinkSections split_think(std::string_view think);

/// What a training split says: the pool from which spoilt responses draw what is wrong.
struct Lexicon {
  std::vector<std::string> principles, units;              // distinct, sorted
  std::map<std::string, std::vector<std::string>> values;  // per template, for guesses

  static Lexicon from(std::span<const Problem> problems);
};

/// Which shares of responses are spoilt, and how. Of a share `share`, each defect strikes
/// independently, so some responses get several and some none.
struct CorruptionMix {
  double share = .5;
  double lazy = .25;       // nothing looked at, nothing calculated, a guess as the answer
  double format = .30;     // a tag dropped, duplicated, reversed or left open, or no think at all
  double principle = .30;  // another principle
  double unit = .30;       // a wrong unit, or none; answers without a unit are left alone
};

/// The defects of one response.
struct Corruption {
  bool lazy = false, format = false, principle = false, unit = false;
};

/// The defects that `key` draws. The same key gives the same defects whatever the problem.
Corruption draw_corruption(const CorruptionMix& mix, std::uint64_t key);

/// The text of the option with this letter. Throws Error for what is not a letter from A to D.
const std::string& option_text(const Problem& p, std::string_view letter);

/// The response a problem's reference solution makes; full marks under every reward of this room.
/// Throws Error for a problem without an answer, or in multiple choice without a right letter.
std::string gold_response(const Problem& problem);

/// A multiple-choice response that claims an option out of hand: nothing but text and letter.
std::string letter_response(const Problem& problem, char letter);

/// The target of the caption stage: the scene's structured description; without one, an Error.
std::string caption_response(const Problem& problem);

/// The gold response with the defects that `key` draws (often none). Supervised training on a share
/// of these gives the rewards something to choose between. Same arguments, same text, anywhere.
std::string corrupted_response(const Problem& problem, const Lexicon& lexicon,
                               const CorruptionMix& mix, std::uint64_t key);

}  // namespace gaze::phyx
