// SPDX-License-Identifier: MIT
// Parsing number, unit and surrounding text; comparing quantities.
#include "phyx/answer/quantity.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

#include "gaze/text/strings.hpp"
#include "phyx/answer/number_text.hpp"
#include "phyx/answer/plain_text.hpp"
#include "phyx/answer/units.hpp"

namespace gaze::phyx {

namespace {

using plain_text::is_digit;

// Bytes; longer texts are not parsed.
constexpr std::size_t longest_quantity = 512;

// Punctuation around an answer.
constexpr std::string_view end_marks = ",;:.!*_\"'";

// Whether the character that ends at `end` is a letter of the Latin or Greek alphabet, or a digit.
bool is_letter_before(std::string_view s, std::size_t end) {
  if (end == 0) return false;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  if (byte(end - 1) < 0x80) return text::is_word(s[end - 1]);
  if (end < 2 || byte(end - 1) >= 0xC0) return false;
  const unsigned lead = byte(end - 2);  // of two bytes: U+00B5, U+00C0 to U+024F, U+0370 to U+03FF
  return (lead == 0xC2 && byte(end - 1) == 0xB5) || (lead >= 0xC3 && lead <= 0xC9) ||
         lead == 0xCD || lead == 0xCE || lead == 0xCF;
}

// A digit that is not part of a unit or a name ("s^2", "m2", "s^-1", "s^(-1)") starts a number.
bool has_number(std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (!is_digit(s[i])) continue;
    std::size_t at = i;
    if (at > 0 && (s[at - 1] == '-' || s[at - 1] == '+' || s[at - 1] == '.')) --at;
    const bool bracket = at > 0 && s[at - 1] == '(';
    if (bracket) --at;
    const bool power = at > 0 && (s[at - 1] == '^' || s[at - 1] == '_');
    const bool stars = at > 1 && s[at - 1] == '*' && s[at - 2] == '*';
    if (!power && !stars && (bracket || !is_letter_before(s, at))) return true;
  }
  return false;
}

// "m / s ^ 2" -> "m/s^2"
std::string close_up(std::string_view s) {
  constexpr std::string_view dot = "\u00b7";
  std::string out;
  const auto after_joint = [&] {
    return out.ends_with('/') || out.ends_with('^') || out.ends_with('*') || out.ends_with(dot);
  };
  const std::string words = text::squeeze(s);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const char c = words[i];
    const bool joint =
        c == '/' || c == '^' || c == '*' || std::string_view(words).substr(i).starts_with(dot);
    if (joint && out.ends_with(' ')) out.pop_back();
    if (c != ' ' || !after_joint()) out += c;
  }
  return out;
}

// Words that are units in UDUNITS ("at" is a technical atmosphere, "force" is g) but not here.
bool is_plain_word(std::string_view word) {
  for (const auto* w : {"a", "at", "in", "to", "is", "as", "of", "the", "or", "and", "not", "on",
                        "force", "unit", "units"})
    if (word == w) return true;
  return false;
}

std::string_view without_marks(std::string_view word) {
  while (!word.empty() && end_marks.find(word.back()) != word.npos) word.remove_suffix(1);
  while (!word.empty() && end_marks.find(word.front()) != word.npos) word.remove_prefix(1);
  return word;
}

}  // namespace

bool hedges(std::string_view text) {
  for (const auto& raw : text::split_words(text::lower(text))) {
    const auto word = without_marks(raw);
    for (const auto* w : {"or", "and", "not", "wrong", "incorrect", "maybe", "perhaps", "possibly",
                          "either", "versus"})
      if (word == w) return true;
  }
  return text.find("\u00b1") != text.npos || text.find("+/-") != text.npos;
}

namespace {

// The unit after a number: the longest known one of up to eight words ("kilogram metres per second
// squared"), else the first word (a wrong unit is still a unit).
std::string leading_unit(const std::vector<std::string>& words, std::size_t& used) {
  constexpr std::size_t most_words = 8;
  std::string unit, best;
  used = 0;
  for (std::size_t i = 0; i < words.size() && i < most_words; ++i) {
    std::string_view word = words[i];
    if (i > 0 && is_plain_word(word)) break;
    const bool ends = !word.empty() && end_marks.find(word.back()) != word.npos;
    while (!word.empty() && end_marks.find(word.back()) != word.npos) word.remove_suffix(1);
    for (const std::string_view markup : {"**", "__", "\""})
      if (word.starts_with(markup)) word.remove_prefix(markup.size());
    if (word.size() > 2 && word.front() == '[' && word.back() == ']' && i == 0)
      word = word.substr(1, word.size() - 2);
    unit += unit.empty() ? "" : " ";
    unit += word;
    const bool odd = i == 0 && text::has_word(word);
    if (known_unit(unit) || odd) best = unit, used = i + 1;
    if (ends) break;
  }
  return best;
}

// Parser for a flattened text.
std::optional<Quantity> parse_flat(std::string_view s) {
  const auto number = leading_number(s);
  if (!number) return std::nullopt;
  std::string rest = close_up(plain_text::as_typed(number->rest));
  if (rest.size() > 2 && rest.starts_with("1/") && !is_digit(rest[2])) rest.erase(0, 1);
  if (has_number(rest) || hedges(rest)) return std::nullopt;
  const auto words = text::split_words(rest);
  Quantity out{number->value, "", number->significant, ""};
  std::size_t used = 0;
  out.unit = leading_unit(words, used);
  for (; used < words.size(); ++used) out.note += (out.note.empty() ? "" : " ") + words[used];
  return out;
}

std::string_view drop_approximation(std::string_view s) {
  for (bool again = true; again;) {
    again = false;
    s = text::trim(s);
    for (const std::string_view word :
         {"approximately", "approx.", "approx", "about", "roughly", "around", "nearly", "is", "="})
      if (s.size() > word.size() && text::lower(s.substr(0, word.size())) == word &&
          (word == "=" || !text::is_word(s[word.size()]))) {
        s.remove_prefix(word.size());
        again = true;
      }
  }
  return s;
}

// The brackets around the whole text, or nothing: "(6 N)" but not "(6) N (7)".
std::string_view without_brackets(std::string_view s) {
  if (s.size() < 2) return s;
  const char open = s.front(), close = open == '(' ? ')' : ']';
  if ((open != '(' && open != '[') || s.back() != close) return s;
  const auto inner = s.substr(1, s.size() - 2);
  int depth = 0;
  for (const char c : inner) {
    depth += (c == open) - (c == close);
    if (depth < 0) return s;
  }
  return depth == 0 ? inner : s;
}

// The text without surrounding punctuation and brackets.
std::string_view bare(std::string_view s) {
  for (std::size_t before = s.size() + 1; s.size() < before;) {
    before = s.size();
    s = text::trim(s);
    while (!s.empty() && end_marks.find(s.back()) != s.npos)
      s = text::trim(s.substr(0, s.size() - 1));
    while (!s.empty() &&
           (s.front() == '*' || s.front() == '_' || s.front() == '"' || s.front() == '\''))
      s = text::trim(s.substr(1));
    s = without_brackets(s);
  }
  return s;
}

}  // namespace

bool same_quantity(const Quantity& a, const Quantity& b, double tolerance, double zero) {
  constexpr double rounding = 1e-9;  // so that 2.04 is within 2 % of 2 in doubles
  const double allowed = b.value == 0 ? zero : tolerance * (1 + rounding) * std::abs(b.value);
  for (const double value : conversions(a.value, a.unit, b.unit))
    if (std::abs(value - b.value) <= allowed) return true;
  return false;
}

std::optional<Quantity> parse_quantity(std::string_view raw) {
  if (raw.size() > longest_quantity) return std::nullopt;
  const std::string all = plain_text::flatten(raw);
  const std::string_view s = bare(drop_approximation(bare(all)));
  const auto last = s.rfind('=');
  const auto tail = last == s.npos ? s : s.substr(last + 1);
  const auto out = parse_flat(bare(drop_approximation(tail)));
  if (!out || last == s.npos) return out;
  for (std::size_t at = 0; at <= last;) {
    const auto end = s.find('=', at);
    const auto part = s.substr(at, end - at);
    if (hedges(part)) return std::nullopt;
    const auto q = parse_flat(text::trim(part));
    const bool unitless = q && (q->unit.empty() || out->unit.empty());
    constexpr double rounding = .02;
    if (q && !unitless && !same_quantity(*q, *out, rounding)) return std::nullopt;
    if (q && unitless && !same_quantity({q->value, "", 0, ""}, {out->value, "", 0, ""}, rounding))
      return std::nullopt;
    at = end + 1;
  }
  return out;
}

}  // namespace gaze::phyx
