// SPDX-License-Identifier: MIT
// Judging an answer: the letter of a multiple choice, a quantity with its unit, or a word.
//
// This is the strict judge that training uses; the benchmark's own scoring rules are elsewhere. It
// answers as a fair but unforgiving reader would: one clear answer or none. Decisions:
//   - a quantity is right within 2 % (relative, after unit conversion);
//   - a unit of another dimension makes it wrong; a missing unit does not, but is reported through
//     `unit_consistent`, so that a reward can price it;
//   - several letters, all options echoed, a letter next to another option's text: wrong;
//   - a word answer must equal the truth after lower-casing and trimming.
#pragma once
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "phyx/problem.hpp"
#include "phyx/quantity.hpp"
#include "phyx/response.hpp"
#include "phyx/units.hpp"

namespace gaze::phyx {

/// What the judge found. `unit_consistent` asks for a number with a unit of the right dimension (or
/// with none, where the truth has none), whether or not the value is right; for a truth without a
/// number there is nothing to be inconsistent with and it equals `parsed`. In multiple choice the
/// number is read from the conclusion of the think text ("so 12 N : B").
struct Verdict {
  bool parsed = false;
  bool correct = false;
  bool unit_consistent = false;
  std::string extracted;
};

struct JudgeConfig {
  double tolerance = .02;  // relative; 2 %: whether g is 9.81, 9.8 or 10 does not decide
};

namespace answer_detail {

/// The truth in the form in which answers are compared with it.
struct Truth {
  std::string text;                  // "12 N", "left"
  std::optional<Quantity> quantity;  // empty for a word
  bool unit_known = true;  // false: a bare number in real data, where any unit may be meant
};

inline Truth truth_of(const Problem& p) {
  Truth out;
  const Solution& s = p.solution;
  if (!s.value.empty()) {
    out.text = s.value + (s.unit.empty() ? "" : " " + s.unit);
    out.quantity = parse_quantity(s.value);
    if (out.quantity) out.quantity->unit = s.unit;
    return out;
  }
  const bool choice = p.form == Form::mc;
  out.text = choice && !p.answer.empty() ? response_detail::option(p, p.answer) : p.answer;
  out.quantity = parse_quantity(out.text);
  out.unit_known = out.quantity && !out.quantity->unit.empty();
  return out;
}

inline bool unit_agrees(const Truth& truth, const std::optional<Quantity>& q) {
  if (!truth.quantity || !q) return false;
  if (!truth.unit_known) return true;
  const std::string& unit = truth.quantity->unit;
  return unit.empty() == q->unit.empty() && commensurable(q->unit, unit);
}

inline bool is_mark(char c) {
  return std::string_view("*\"'()[]{}.:;,=").find(c) != std::string::npos;
}

// Lower case, single spaces, no LaTeX, no marks at the ends: the form in which words compare.
inline std::string canonical(std::string_view s) {
  const std::string flat = strings::lower(quantity_detail::plain(s));
  std::string_view v = flat;
  while (!v.empty() && (strings::is_space(v.front()) || is_mark(v.front()))) v.remove_prefix(1);
  while (!v.empty() && (strings::is_space(v.back()) || is_mark(v.back()))) v.remove_suffix(1);
  return std::string(v);
}

inline bool says_option(const std::string& option, std::string_view s) {
  if (option.empty()) return false;
  if (canonical(option) == canonical(s)) return true;
  const auto a = parse_quantity(s), b = parse_quantity(option);
  constexpr double same = 1e-6;  // options lie closer together than the judge's tolerance
  return a && b && a->note == b->note && a->unit.empty() == b->unit.empty() &&
         same_quantity(*a, *b, same);
}

// Drops "The correct answer is", "Option" and the like from the front.
inline std::string_view drop_lead_in(std::string_view s, bool& dropped) {
  for (bool again = true; again;) {
    again = false;
    while (!s.empty() && (strings::is_space(s.front()) || s.front() == '*' || s.front() == ':'))
      s.remove_prefix(1);
    for (const std::string_view word : {"the", "correct", "final", "answer", "option", "choice",
                                        "is", "so", "therefore", "thus", "hence"})
      if (s.size() > word.size() && strings::lower(s.substr(0, word.size())) == word &&
          !strings::is_word(s[word.size()])) {
        s.remove_prefix(word.size());
        again = dropped = true;
      }
  }
  return s;
}

// Splits off a standalone letter at the front ("(B) 12 N") or the back ("12 N : B").
inline std::optional<char> take_letter(std::string_view& s, bool front) {
  std::string_view v = s;
  const auto first = [&] { return front ? v.front() : v.back(); };
  const auto drop = [&] { front ? v.remove_prefix(1) : v.remove_suffix(1); };
  const auto marks = [&] {
    while (!v.empty() && (strings::is_space(first()) || is_mark(first()))) drop();
  };
  marks();
  if (v.empty() || first() < 'A' || first() > 'D') return std::nullopt;
  const char letter = first();
  drop();
  if (!v.empty() && strings::is_word(first())) return std::nullopt;
  marks();
  s = v;
  return letter;
}

inline std::size_t position(char letter) { return static_cast<std::size_t>(letter - 'A'); }

// The one option whose text is said; nothing when none or several are.
inline std::optional<char> option_said(const Problem& p, std::string_view s) {
  std::optional<char> found;
  for (std::size_t i = 0; i < p.options.size(); ++i) {
    if (!says_option(p.options[i], s)) continue;
    if (found) return std::nullopt;
    found = static_cast<char>('A' + i);
  }
  return found;
}

// "B because …": a letter right behind a lead-in, with no other letter anywhere behind it. An A in
// front of a lower-case word may be the article, so it needs a mark or a reason.
inline std::optional<char> letter_with_reason(std::string_view s) {
  std::string_view rest = s;
  const auto letter = take_letter(rest, true);
  if (!letter) return std::nullopt;
  for (std::string_view tail = rest; !tail.empty(); tail.remove_prefix(1))
    if (tail[0] >= 'A' && tail[0] <= 'D' && (tail.size() == 1 || !strings::is_word(tail[1])) &&
        (tail.data() == rest.data() || !strings::is_word(*(tail.data() - 1))))
      return std::nullopt;
  for (const std::string_view reason : {"because", "since", "as "})
    if (rest.starts_with(reason)) return letter;
  const auto gap = static_cast<std::size_t>(rest.data() - s.data());
  const bool marked = s.substr(0, gap).find_first_of(").:,*") != std::string_view::npos;
  return marked ? letter : std::nullopt;
}

/// The letter that an answer chooses; nothing unless the choice is clear.
inline std::optional<char> choose(const Problem& p, std::string_view answer, bool prose) {
  if (const auto said = option_said(p, answer)) return said;
  const std::string flat = strings::squeeze(quantity_detail::plain(answer));
  bool marked = false;
  const std::string_view s = drop_lead_in(flat, marked);
  std::string lone = canonical(s);
  if (lone.size() == 1 && lone[0] >= 'a' && lone[0] <= 'd') return static_cast<char>(lone[0] - 32);
  for (const bool front : {true, false}) {
    std::string_view rest = s;
    const auto letter = take_letter(rest, front);
    if (!letter) continue;
    for (const std::string_view joint : {"is ", "- "})
      if (front && rest.starts_with(joint)) rest.remove_prefix(joint.size());
    if (says_option(p.options[position(*letter)], rest)) return letter;
  }
  if (const auto said = option_said(p, s)) return said;
  return prose && marked ? letter_with_reason(s) : std::nullopt;
}

// Where a text without tags states its answer: the last \boxed{}, else what follows the last
// "answer is" or "answer:", else the last line.
inline std::string plain_answer(std::string_view s) {
  if (const auto box = s.rfind("\\boxed{"); box != s.npos) {
    std::size_t at = box + 6;
    if (auto inner = quantity_detail::braces(s, at)) return std::string(strings::trim(*inner));
  }
  const std::string low = strings::lower(s);
  std::string_view from;
  for (auto at = low.rfind("answer"); at != low.npos && at > 0; at = low.rfind("answer", at - 1)) {
    std::size_t i = at + 6;
    while (i < low.size() && (low[i] == ' ' || low[i] == '*')) ++i;
    const bool is = low.compare(i, 3, "is ") == 0 || low.compare(i, 3, "is:") == 0;
    if (is || (i < low.size() && low[i] == ':')) {
      from = s.substr(at);
      break;
    }
  }
  if (from.empty() && low.starts_with("answer")) from = s;
  if (!from.empty()) {
    auto end = std::min(from.find('\n'), from.find(". "));
    if (strings::trim(from.substr(0, end)).ends_with(':')) end = from.find('\n', end + 1);
    return std::string(strings::trim(from.substr(0, end)));
  }
  const auto body = strings::trim(s);
  const auto line = body.rfind('\n');
  return std::string(line == body.npos ? body : strings::trim(body.substr(line + 1)));
}

inline Verdict judge_choice(const Problem& p, std::string_view answer, const std::string& claim,
                            bool prose) {
  Verdict out;
  const auto letter = choose(p, answer, prose);
  if (!letter) return out;
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

inline Verdict judge_open(const Problem& p, std::string_view answer, const JudgeConfig& config) {
  Verdict out;
  const Truth truth = truth_of(p);
  bool marked = false;
  const std::string_view s = drop_lead_in(answer, marked);
  const bool same = !truth.text.empty() && canonical(s) == canonical(truth.text);
  if (!truth.quantity) {
    out.extracted = canonical(s);
    out.parsed = out.unit_consistent = !out.extracted.empty();
    out.correct = same;
    return out;
  }
  auto q = parse_quantity(s);
  if (!q) return out;
  out.parsed = true;
  out.extracted = strings::squeeze(s);
  out.unit_consistent = unit_agrees(truth, q);
  if (!truth.unit_known) q->unit.clear();
  Quantity gold = *truth.quantity;
  if (q->unit.empty()) gold.unit.clear();  // a missing unit costs consistency, not the answer
  out.correct = same || same_quantity(*q, gold, config.tolerance);
  return out;
}

}  // namespace answer_detail

/// Judges the content of an answer element. `think` serves only to read a multiple choice's number.
/// `prose` allows a letter to be followed by its reason, as chat models write.
inline Verdict judge_answer(const Problem& problem, std::string_view answer,
                            std::string_view think = {}, const JudgeConfig& config = {},
                            bool prose = false) {
  constexpr std::size_t longest = 2048;
  const auto s = strings::trim(answer);
  if (s.empty() || s.size() > longest) return {};
  if (problem.form == Form::oe) return answer_detail::judge_open(problem, s, config);
  return answer_detail::judge_choice(problem, s, split_think(think).conclusion, prose);
}

/// Judges a whole completion: the answer element when the response is well-formed or has exactly
/// one; with no tag at all, the place where a chat model states its answer. Tags in any other
/// arrangement give nothing.
inline Verdict judge_strict(const Problem& problem, std::string_view completion,
                            const JudgeConfig& config = {}) {
  const ParsedResponse parsed = parse_response(completion);
  if (parsed.has_tags) return judge_answer(problem, parsed.answer_text, parsed.think, config);
  return judge_answer(problem, answer_detail::plain_answer(completion), {}, config, true);
}

}  // namespace gaze::phyx
