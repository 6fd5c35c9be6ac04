// SPDX-License-Identifier: MIT
// Grading letters, quantities with units and directions, and words.
#include "phyx/answer/strict_rule.hpp"

#include <cmath>
#include <cstddef>

#include "gaze/text/strings.hpp"
#include "phyx/answer/direction.hpp"
#include "phyx/answer/plain_text.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/answer/statement.hpp"
#include "phyx/answer/units.hpp"

namespace gaze::phyx {

Truth truth_of(const Problem& p) {
  Truth out;
  const Solution& s = p.solution;
  if (!s.value.empty()) {
    out.text = s.value + (s.unit.empty() ? "" : " " + s.unit);
    out.quantity = parse_quantity(s.value);
    if (out.quantity) out.quantity->unit = s.unit;
    return out;
  }
  const bool choice = p.form == Form::mc;
  out.text = choice && !p.answer.empty() ? option_text(p, p.answer) : p.answer;
  out.quantity = parse_quantity(out.text);
  out.unit_known = out.quantity && !out.quantity->unit.empty();
  return out;
}

namespace {

// Bytes; no answer can equal a longer truth.
constexpr std::size_t longest_truth = 16384;

bool unit_agrees(const Truth& truth, const std::optional<Quantity>& q) {
  if (!truth.quantity || !q) return false;
  if (!truth.unit_known) return true;
  const std::string& unit = truth.quantity->unit;
  return unit.empty() == q->unit.empty() && commensurable(q->unit, unit);
}

// The quantity at the end of a prose statement: "Therefore, the force is 6 N." Empty if the words
// before it hedge.
std::optional<Quantity> quantity_in_prose(std::string_view s) {
  for (const std::string_view verb :
       {" is ", " be ", " are ", " equals ", " equal to ", " get ", " of "}) {
    const auto at = s.rfind(verb);
    if (at == s.npos) continue;
    const auto q = parse_quantity(s.substr(at + verb.size()));
    if (q) return hedges(s.substr(0, at)) ? std::nullopt : q;
  }
  return std::nullopt;
}

bool is_percent(const Quantity& q) {
  return q.unit == "%" || q.unit == "percent" || q.unit == "per cent";
}

// Whether the values agree. If one side has no unit, only the numbers are compared, and a
// percentage also as a fraction.
bool value_agrees(const Problem& p, const Truth& truth, Quantity q, double tolerance) {
  Quantity gold = *truth.quantity;
  if (!truth.unit_known && is_percent(q)) {
    if (same_quantity(q, gold, tolerance)) return true;
    const bool asked = p.question.find('%') != std::string::npos ||
                       p.question.find("percent") != std::string::npos;
    if (!asked && std::abs(gold.value) <= 1) return false;  // 0.5 % is not 0.5
  }
  if (q.unit.empty() && is_percent(gold) && same_quantity(q, gold, tolerance)) return true;
  if (!truth.unit_known) q.unit.clear();
  if (q.unit.empty()) gold.unit.clear();  // a missing unit only affects unit_consistent
  return same_quantity(q, gold, tolerance);
}

// Moves a direction in the place of a unit to the note: "5 east".
void move_direction(Quantity& q) {
  if (q.unit.empty() || (known_unit(q.unit) && q.unit != "in")) return;
  const std::string tail = q.unit + " " + q.note;
  if (direction_of(tail).empty()) return;
  q.note = tail;
  q.unit.clear();
}

// Value and direction together: -5 m/s east is 5 m/s west.
bool quantity_agrees(const Problem& p, const Truth& truth, Quantity q, double tolerance,
                     std::string& note) {
  const Direction wanted = direction_of(truth.quantity->note);
  if (wanted.empty()) return value_agrees(p, truth, q, tolerance);
  const auto match = compare(wanted, direction_of(q.note));
  if (match == DirectionMatch::different) return false;
  if (match == DirectionMatch::opposite) q.value = -q.value;
  const bool right =
      value_agrees(p, truth, q, tolerance) && (match != DirectionMatch::opposite || q.value != 0);
  if (right && match == DirectionMatch::missing) note = "no direction";
  return right;
}

Grade grade_choice(const Problem& p, const Statement& said_as, const std::string& claim,
                   bool prose) {
  Grade out;
  const std::string_view answer = said_as.text;
  const auto letter = chosen_letter(p, answer, prose);
  if (!letter) return out;
  // A last line below another choice is a list; a letter before another option's text is ambiguous.
  const auto above = chosen_letter(p, said_as.before, false),
             after = stated_option(p, said_as.after);
  if ((above && *above != *letter) || (after && *after != *letter)) return out;
  out.parsed = true;
  out.extracted = std::string(1, *letter);
  out.correct = out.extracted == p.answer;
  const Truth truth = truth_of(p);
  std::string_view said = claim.empty() ? answer : std::string_view(claim);
  for (const bool front : {true, false})
    if (take_letter(said, front)) break;
  out.unit_consistent = !truth.quantity || unit_agrees(truth, parse_quantity(said));
  return out;
}

Grade grade_word(const Truth& truth, std::string_view s) {
  Grade out;
  out.extracted = canonical_words(s);
  out.parsed = out.unit_consistent = !out.extracted.empty();
  if (truth.text.empty() || truth.text.size() > longest_truth) return out;
  out.correct = out.extracted == canonical_words(truth.text) ||
                same_direction(plain_text::plain(truth.text), plain_text::plain(s));
  return out;
}

Grade grade_open(const Problem& p, std::string_view answer, const StrictRule& rule, bool prose) {
  Grade out;
  const Truth truth = truth_of(p);
  bool marked = false;
  const std::string_view s = drop_lead_in(answer, prose, marked);
  if (!truth.quantity) return grade_word(truth, s);
  auto q = parse_quantity(s);
  if (!q && prose) q = quantity_in_prose(s);
  if (!q) return out;
  if (!truth.quantity->note.empty()) move_direction(*q);
  out.parsed = true;
  out.extracted = text::squeeze(s);
  out.unit_consistent = unit_agrees(truth, q);
  out.correct = same_text(s, truth.text, truth.quantity) ||
                quantity_agrees(p, truth, *q, rule.tolerance, out.note);
  return out;
}

Grade grade_statement(const Problem& problem, const Statement& said, std::string_view think,
                      const StrictRule& rule, bool prose) {
  if (said.text.empty() || said.text.size() > longest_answer) return {};
  if (problem.form == Form::oe) return grade_open(problem, said.text, rule, prose);
  return grade_choice(problem, said, split_think(think).conclusion, prose);
}

}  // namespace

Grade grade_answer(const Problem& problem, std::string_view answer, std::string_view think,
                   const StrictRule& rule, bool prose) {
  const auto s = text::trim(answer);
  if (s.size() > longest_answer) return {};
  return grade_statement(problem, {std::string(s), "", ""}, think, rule, prose);
}

Grade grade_completion(const Problem& problem, std::string_view completion,
                       const StrictRule& rule) {
  return grade_completion(problem, completion, parse_response(completion), rule);
}

Grade grade_completion(const Problem& problem, std::string_view completion,
                       const ParsedResponse& response, const StrictRule& rule) {
  const Reply reply = read_reply(completion);
  if (reply.tagged) return grade_answer(problem, reply.text, response.think, rule);
  return grade_statement(problem, find_statement(reply.text), {}, rule, true);
}

}  // namespace gaze::phyx
