// SPDX-License-Identifier: MIT
// Matching an answer with options by text, by letter, or by both if they agree.
#include "phyx/answer/choice.hpp"

#include <array>
#include <cctype>

#include "gaze/text/strings.hpp"
#include "phyx/answer/direction.hpp"
#include "phyx/answer/plain_text.hpp"
#include "phyx/answer/units.hpp"

namespace gaze::phyx {

namespace {

bool is_mark(char c) { return std::string_view("*\"'()[]{}.:;,=").find(c) != std::string::npos; }

// Single spaces, no LaTeX, no punctuation at either end.
std::string trimmed(std::string_view s) {
  const std::string flat = plain_text::plain(s);
  std::string_view v = flat;
  while (!v.empty() && (text::is_space(v.front()) || is_mark(v.front()))) v.remove_prefix(1);
  while (!v.empty() && (text::is_space(v.back()) || is_mark(v.back()))) v.remove_suffix(1);
  return std::string(v);
}

}  // namespace

std::string canonical_words(std::string_view s) { return text::lower(trimmed(s)); }

bool same_direction(std::string_view a, std::string_view b) {
  const Direction x = direction_of(a);
  if (!x.pure || x.clash || x.empty()) return false;
  const Direction y = direction_of(b);
  return y.pure && !y.clash && x.signs == y.signs;
}

bool same_text(std::string_view a, std::string_view b, const std::optional<Quantity>& q) {
  const std::string x = trimmed(a), y = trimmed(b);
  if (x == y) return true;
  const bool has_unit = q && (q->unit.empty() || known_unit(q->unit));
  return !has_unit && text::lower(x) == text::lower(y);
}

namespace {

bool says_option(const std::string& option, std::string_view s) {
  if (option.empty() || option.size() > longest_answer || s.size() > longest_answer) return false;
  const auto b = parse_quantity(option);
  if (same_text(option, s, b)) return true;
  if (!b) return same_direction(plain_text::plain(option), plain_text::plain(s));
  const auto a = parse_quantity(s);
  constexpr double same = 1e-6;  // options are closer together than the strict rule's tolerance
  constexpr double zero = 0;     // 1.6e-19 C is not the option 0 C
  return a && (text::lower(a->note) == text::lower(b->note) || same_direction(a->note, b->note)) &&
         a->unit.empty() == b->unit.empty() && same_quantity(*a, *b, same, zero);
}

}  // namespace

std::string_view drop_lead_in(std::string_view s, bool prose, bool& dropped) {
  constexpr std::array<std::string_view, 11> always = {"the",       "correct", "final", "answer",
                                                       "option",    "choice",  "is",    "so",
                                                       "therefore", "thus",    "hence"};
  constexpr std::array<std::string_view, 12> spoken = {"best", "letter", "should", "would",
                                                       "must", "will",   "be",     "i",
                                                       "we",   "choose", "select", "pick"};
  const auto skip = [prose](char c) {
    return text::is_space(c) || c == '*' || c == ':' || (prose && (c == ',' || c == '='));
  };
  const auto drop = [&](std::string_view word) {
    if (s.size() <= word.size() || text::is_word(s[word.size()]) ||
        text::lower(s.substr(0, word.size())) != word)
      return false;
    s.remove_prefix(word.size());
    return dropped = true;
  };
  for (bool again = true; again;) {
    again = false;
    while (!s.empty() && skip(s.front())) s.remove_prefix(1);
    for (const auto word : always) again = drop(word) || again;
    if (prose)
      for (const auto word : spoken) again = drop(word) || again;
  }
  return s;
}

std::optional<char> take_letter(std::string_view& s, bool front) {
  std::string_view v = s;
  const auto first = [&] { return front ? v.front() : v.back(); };
  const auto drop = [&] { front ? v.remove_prefix(1) : v.remove_suffix(1); };
  const auto marks = [&] {
    while (!v.empty() && (text::is_space(first()) || is_mark(first()))) drop();
  };
  marks();
  if (v.empty()) return std::nullopt;
  // A small letter needs a bracket or a point: "b) 12 N".
  const bool small = front && v.size() > 1 && (v[1] == ')' || v[1] == '.');
  const char letter =
      small ? static_cast<char>(std::toupper(static_cast<unsigned char>(first()))) : first();
  if (letter < 'A' || letter > 'D') return std::nullopt;
  drop();
  if (!v.empty() && text::is_word(first())) return std::nullopt;
  marks();
  s = v;
  return letter;
}

std::optional<char> stated_option(const Problem& p, std::string_view s) {
  std::optional<char> found;
  for (std::size_t i = 0; i < p.options.size(); ++i) {
    if (!says_option(p.options[i], s)) continue;
    if (found) return std::nullopt;
    found = static_cast<char>('A' + i);
  }
  return found;
}

namespace {

std::size_t position(char letter) { return static_cast<std::size_t>(letter - 'A'); }

// "is correct", "is the right answer": phrases that may follow the chosen letter.
bool affirms(std::string_view s) {
  const std::string said = canonical_words(s);
  for (const auto* text : {"is correct", "is right", "is the correct answer", "is the right answer",
                           "is the correct option", "is the correct choice", "is the answer"})
    if (said == text) return true;
  return false;
}

// "B because …": a letter right after a lead-in, without any other letter after it. "A" before a
// lower-case word may be the article, so it needs punctuation or a reason.
std::optional<char> letter_with_reason(std::string_view s) {
  std::string_view rest = s;
  const auto letter = take_letter(rest, true);
  if (!letter) return std::nullopt;
  for (std::string_view tail = rest; !tail.empty(); tail.remove_prefix(1))
    if (tail[0] >= 'A' && tail[0] <= 'D' && (tail.size() == 1 || !text::is_word(tail[1])) &&
        (tail.data() == rest.data() || !text::is_word(*(tail.data() - 1))))
      return std::nullopt;
  for (const std::string_view reason : {"because", "since", "as "})
    if (rest.starts_with(reason)) return letter;
  const auto gap = static_cast<std::size_t>(rest.data() - s.data());
  const bool marked = s.substr(0, gap).find_first_of(").:,*") != std::string_view::npos;
  return marked ? letter : std::nullopt;
}

}  // namespace

std::optional<char> chosen_letter(const Problem& p, std::string_view answer, bool prose) {
  if (answer.size() > longest_answer) return std::nullopt;
  if (const auto said = stated_option(p, answer)) return said;
  const std::string flat = text::squeeze(plain_text::plain(answer));
  bool marked = false;
  const std::string_view s = drop_lead_in(flat, prose, marked);
  std::string lone = canonical_words(s);
  if (lone.size() == 1 && lone[0] >= 'a' && lone[0] <= 'd') return static_cast<char>(lone[0] - 32);
  for (const bool front : {true, false}) {
    std::string_view rest = s;
    const auto letter = take_letter(rest, front);
    if (!letter) continue;
    if (front && affirms(rest)) return letter;
    for (const std::string_view joint : {"is ", "- "})
      if (front && rest.starts_with(joint)) rest.remove_prefix(joint.size());
    if (says_option(p.options[position(*letter)], rest)) return letter;
  }
  if (const auto said = stated_option(p, s)) return said;
  return prose && marked ? letter_with_reason(s) : std::nullopt;
}

}  // namespace gaze::phyx
