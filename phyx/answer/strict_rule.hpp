// SPDX-License-Identifier: MIT
// Judging an answer: the letter of a multiple choice, a quantity with its unit, or a word.
//
// This is the strict judge that training uses; the benchmark's own scoring rules are elsewhere. It
// answers as a fair but unforgiving reader would: one clear answer or none. Decisions:
//   - a quantity is right within 2 % (relative, after unit conversion), and its sign counts;
//   - a unit of another dimension makes it wrong; a missing unit does not, but is reported through
//     `unit_consistent`, so that a reward can price it;
//   - another direction than the truth's makes it wrong; a missing one does not, but is noted;
//   - several letters, all options echoed, a letter next to another option's text: wrong;
//   - a word answer must equal the truth after lower-casing and trimming, or name the same
//   direction.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "phyx/answer/choice.hpp"
#include "phyx/answer/quantity.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// What the judge found. `unit_consistent` asks for a number with a unit of the right dimension (or
/// with none, where the truth has none), whether or not the value is right; for a truth without a
/// number there is nothing to be inconsistent with and it equals `parsed`. In multiple choice the
/// number is read from the conclusion of the think text ("so 12 N : B"). `note` says what a right
/// answer leaves out.
struct Verdict {
  bool parsed = false;
  bool correct = false;
  bool unit_consistent = false;
  std::string extracted;
  std::string note;
};

struct JudgeConfig {
  double tolerance = .02;  // relative; 2 %: whether g is 9.81, 9.8 or 10 does not decide
};

/// The truth in the form in which answers are compared with it.
struct Truth {
  std::string text;                  // "12 N", "left"
  std::optional<Quantity> quantity;  // empty for a word
  bool unit_known = true;  // false: a bare number in real data, where any unit may be meant
};

/// The truth of a problem: its solution's value and unit, or else its answer's text. Throws Error
/// in multiple choice when the answer is not a letter from A to D.
Truth truth_of(const Problem& p);

namespace answer_detail {
using phyx::truth_of;  // by this name the rubric knows it
}

/// Judges the content of an answer element. `think` serves only to read a multiple choice's number.
/// `prose` allows a letter to be followed by its reason and a quantity to be led up to, as chat
/// models write.
Verdict judge_answer(const Problem& problem, std::string_view answer, std::string_view think = {},
                     const JudgeConfig& config = {}, bool prose = false);

/// Judges a whole completion: the answer element when there is exactly one outside the thinking;
/// with no such tag, the place behind the thinking where a chat model states its answer. Tags in
/// any other arrangement give nothing.
Verdict judge_strict(const Problem& problem, std::string_view completion,
                     const JudgeConfig& config = {});

}  // namespace gaze::phyx
