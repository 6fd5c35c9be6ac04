// SPDX-License-Identifier: MIT
// The strict rule: grades the letter of a multiple choice, a quantity with its unit, or a word.
//
// Training uses this rule; the benchmark's own rules are in phyx/scoring/. It follows a fair but
// unforgiving reader: one clear answer or none. Decisions:
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
#include "phyx/answer/response.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// The grade of one answer. `unit_consistent`: the answer has a number with a unit of the right
/// dimension (or without a unit, if the truth has none), whether or not the value is right; equals
/// `parsed` for a truth without a number. In multiple choice the number is read from the conclusion
/// of the think text ("so 12 N : B"). `note`: omission of a right answer, "no direction".
struct Grade {
  bool parsed = false;
  bool correct = false;
  bool unit_consistent = false;
  std::string extracted;
  std::string note;
};

struct StrictRule {
  double tolerance = .02;  // relative; 2 %: whether g is 9.81, 9.8 or 10 does not decide
};

/// The truth, ready for comparison with answers.
struct Truth {
  std::string text;                  // "12 N", "left"
  std::optional<Quantity> quantity;  // empty for a word
  bool unit_known = true;  // false: a bare number in real data, where any unit may be meant
};

/// The truth of a problem: its solution's value and unit, or else its answer's text. Throws Error
/// in multiple choice if the answer is not a letter from A to D.
Truth truth_of(const Problem& p);

/// Grades the content of an answer element. `think` is read only for the number behind a letter.
/// `prose`: a reason may follow the letter and words may precede the quantity, as in chat.
Grade grade_answer(const Problem& problem, std::string_view answer, std::string_view think = {},
                   const StrictRule& rule = {}, bool prose = false);

/// Grades a whole completion by its answer element if there is exactly one outside the thinking;
/// without answer tags, by the statement after the thinking, as chat models write. Tags in any
/// other arrangement: not parsed.
Grade grade_completion(const Problem& problem, std::string_view completion,
                       const StrictRule& rule = {});

/// The same where `response`, the parsed completion, is at hand.
Grade grade_completion(const Problem& problem, std::string_view completion,
                       const ParsedResponse& response, const StrictRule& rule = {});

}  // namespace gaze::phyx
