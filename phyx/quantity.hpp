// SPDX-License-Identifier: MIT
// Reading one physical quantity out of an answer's text: "12 N", "3.2 × 10^4 J", "F = -1/2 m/s²",
// "\frac{2\pi}{3}\,\text{rad}". A text that offers several numbers is not a quantity: a reader
// would not know which one is meant, and neither may a reward.
#pragma once
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "phyx/response.hpp"
#include "phyx/units.hpp"

namespace gaze::phyx {

/// A number with its unit as it was written, and the number of significant digits it was given in.
struct Quantity {
  double value = 0;
  std::string unit;  // empty when none is written
  int significant = 0;
  std::string note;  // what stands behind the unit: "to the left"
};

namespace quantity_detail {

using units_detail::replace_all;
using Pair = std::pair<std::string_view, std::string_view>;

inline constexpr std::array<Pair, 37> plain_forms = {{{"\\left", ""},
                                                      {"\\right", ""},
                                                      {"\\dfrac", "\\frac"},
                                                      {"\\tfrac", "\\frac"},
                                                      {"\\times", "\u00d7"},
                                                      {"\\cdot", "\u00b7"},
                                                      {"\\pi", "\u03c0"},
                                                      {"\\Omega", "\u03a9"},
                                                      {"\\mu", "\u00b5"},
                                                      {"^{\\circ}", "\u00b0"},
                                                      {"^\\circ", "\u00b0"},
                                                      {"\\circ", "\u00b0"},
                                                      {"\\degree", "\u00b0"},
                                                      {"\\%", "%"},
                                                      {"\\approx", "="},
                                                      {"\\simeq", "="},
                                                      {"\u2248", "="},
                                                      {"\\sim", "="},
                                                      {"\\,", " "},
                                                      {"\\;", " "},
                                                      {"\\:", " "},
                                                      {"\\!", ""},
                                                      {"\\ ", " "},
                                                      {"\\quad", " "},
                                                      {"\\(", ""},
                                                      {"\\)", ""},
                                                      {"\\[", ""},
                                                      {"\\]", ""},
                                                      {"{,}", ","},
                                                      {"$", ""},
                                                      {"~", " "},
                                                      {"`", ""},
                                                      {"\u2212", "-"},
                                                      {"\u2013", "-"},
                                                      {"\u00a0", " "},
                                                      {"\u2009", " "},
                                                      {"\u202f", " "}}};
inline constexpr std::array<std::string_view, 9> wrappers = {
    "\\text", "\\textbf", "\\mathrm", "\\mathbf",      "\\mathit",
    "\\rm",   "\\bf",     "\\boxed",  "\\operatorname"};

// The content of the balanced braces that open at `at`; moves `at` behind them. Empty on none.
inline std::optional<std::string> braces(std::string_view s, std::size_t& at) {
  if (at >= s.size() || s[at] != '{') return std::nullopt;
  int depth = 0;
  for (std::size_t i = at; i < s.size(); ++i) {
    if (s[i] == '{') ++depth;
    if (s[i] == '}' && --depth == 0) {
      std::string inner(s.substr(at + 1, i - at - 1));
      at = i + 1;
      return inner;
    }
  }
  return std::nullopt;
}

// Replaces every `command{x}` (or `command{x}{y}`) by prefix + x (+ middle + y).
inline void unwrap(std::string& s, std::string_view command, std::string_view prefix,
                   std::string_view middle = {}) {
  for (std::size_t at = 0; (at = s.find(command, at)) != s.npos;) {
    std::size_t end = at + command.size();
    auto first = braces(s, end);
    std::optional<std::string> second = std::string();
    if (first && !middle.empty()) second = braces(s, end);
    if (!first || !second) {
      at += command.size();
      continue;
    }
    std::string out(prefix);
    out += *first;
    if (!middle.empty()) out.append(middle) += *second;
    s.replace(at, end - at, out);
  }
}

/// LaTeX and typographic forms as plain text: "\frac{1}{2}\,\text{m}" -> "1/2 m".
inline std::string plain(std::string_view raw) {
  std::string s(raw);
  for (const auto& [from, to] : plain_forms) replace_all(s, from, to);
  unwrap(s, "\\sqrt", "\u221a");
  unwrap(s, "\\frac", " ", "/");
  for (const auto command : wrappers) unwrap(s, command, " ");
  std::string out;
  for (char c : s)
    if (c != '{' && c != '}') out += c;
  return strings::squeeze(units_detail::flatten_superscripts(out));
}

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads numbers from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view s) : rest_(s) {}
  std::string_view rest() const { return rest_; }
  int significant() const { return significant_; }

  /// value := [sign] product [/ product], where a product is a number with powers of ten, π and √.
  std::optional<double> value() {
    double sign = 1;
    if (!eat("+") && eat("-")) sign = -1;
    auto v = product();
    if (!v) return std::nullopt;
    const auto slash = rest_;
    if (eat("/")) {
      const auto below = product();
      if (below && *below != 0)
        *v /= *below;
      else
        rest_ = slash;  // the slash belongs to a unit: "5 /s"
    }
    if (!std::isfinite(*v)) return std::nullopt;
    return sign * *v;
  }

 private:
  bool eat(std::string_view token) {
    auto s = strings::trim(rest_);
    if (!s.starts_with(token)) return false;
    s.remove_prefix(token.size());
    rest_ = s;
    return true;
  }

  bool eat_pi() {
    if (eat("\u03c0")) return true;
    const auto s = strings::trim(rest_);
    return s.starts_with("pi") && (s.size() == 2 || !strings::is_word(s[2])) && eat("pi");
  }

  bool times_follows_number() const {
    auto s = strings::trim(rest_);
    for (const std::string_view sign : {"\u00d7", "\u00b7", "*", "x", "X"})
      if (s.starts_with(sign)) {
        s = strings::trim(s.substr(sign.size()));
        return !s.empty() && is_digit(s[0]);
      }
    return false;
  }

  std::optional<double> product() {
    auto v = factor();
    if (!v) return std::nullopt;
    for (;;) {
      if (times_follows_number()) {
        for (const std::string_view sign : {"\u00d7", "\u00b7", "*", "x", "X"})
          if (eat(sign)) break;
        const auto power = factor();
        if (!power || !was_power_of_ten_) return std::nullopt;  // "3 * 4": not worked out
        *v *= *power;
      } else if (eat_pi()) {
        *v *= std::numbers::pi;
      } else if (eat("\u221a")) {
        const auto root = digits();
        if (!root) return std::nullopt;
        *v *= std::sqrt(*root);
      } else {
        return v;
      }
    }
  }

  std::optional<double> factor() {
    was_power_of_ten_ = false;
    if (eat_pi()) return std::numbers::pi;
    if (eat("\u221a")) {
      const auto v = digits();
      return v ? std::optional(std::sqrt(*v)) : std::nullopt;
    }
    auto v = digits();
    if (v && rest_.starts_with('^')) {
      rest_.remove_prefix(1);
      const double sign = eat("-") ? -1 : 1;
      const auto power = digits();
      if (!power) return std::nullopt;
      was_power_of_ten_ = *v == 10;
      v = std::pow(*v, sign * *power);
    }
    return v;
  }

  // An unsigned decimal number with thousands separators and an exponent.
  std::optional<double> digits() {
    const auto s = strings::trim(rest_);
    std::string number;
    std::size_t i = 0;
    const auto run = [&] {
      while (i < s.size() && is_digit(s[i])) number += s[i++];
    };
    run();
    if (i >= 1 && i <= 3)
      while (is_group(s, i)) ++i, number.append(s.substr(i, 3)), i += 3;
    if (i + 1 < s.size() && s[i] == '.' && is_digit(s[i + 1])) number += s[i++], run();
    if (number.empty()) return std::nullopt;
    significant_ = std::max(significant_, count_significant(number));
    if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
      std::size_t j = i + 1;
      if (j < s.size() && (s[j] == '-' || s[j] == '+')) ++j;
      if (j < s.size() && is_digit(s[j])) {
        number += 'e';
        if (s[i + 1] == '-') number += '-';
        i = j;
        run();
      }
    }
    rest_ = s.substr(i);
    double v = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), v);
    const bool whole = error == std::errc() && end == number.data() + number.size();
    return whole && std::isfinite(v) ? std::optional(v) : std::nullopt;
  }

  // ",123" that no further digit follows.
  static bool is_group(std::string_view s, std::size_t i) {
    if (i + 3 >= s.size() || s[i] != ',') return false;
    for (std::size_t k = 1; k <= 3; ++k)
      if (!is_digit(s[i + k])) return false;
    return i + 4 >= s.size() || !is_digit(s[i + 4]);
  }

  static int count_significant(std::string_view number) {
    int n = 0;
    for (char c : number)
      if (is_digit(c) && (n > 0 || c != '0')) ++n;
    return n > 0 ? n : 1;
  }

  std::string_view rest_;
  int significant_ = 0;
  bool was_power_of_ten_ = false;
};

// A digit that is not part of a unit ("s^2", "m2", "s^-1") starts another number.
inline bool has_number(std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (!is_digit(s[i])) continue;
    const char before = i > 0 ? s[i - 1] : ' ', earlier = i > 1 ? s[i - 2] : ' ';
    const auto part = [](char c) { return strings::is_word(c) || c == '^'; };
    const bool joined = (before == '-' || before == '+' || before == '.') && part(earlier);
    if (!part(before) && !joined) return true;
  }
  return false;
}

// "m / s ^ 2" -> "m/s^2"
inline std::string close_up(std::string_view s) {
  std::string out;
  for (char c : strings::squeeze(s)) {
    const bool joint = c == '/' || c == '^' || c == '*';
    if (joint && out.ends_with(' ')) out.pop_back();
    const bool after =
        !out.empty() && (out.back() == '/' || out.back() == '^' || out.back() == '*');
    if (c != ' ' || !after) out += c;
  }
  return out;
}

// Words that are UDUNITS symbols ("at" is a technical atmosphere) but never part of a unit here.
inline bool is_plain_word(std::string_view word) {
  for (const auto* w : {"a", "at", "in", "to", "is", "as", "of", "the", "or", "and", "not", "on"})
    if (word == w) return true;
  return false;
}

inline bool hedges(const std::vector<std::string>& words) {
  for (const auto& word : words)
    for (const auto* w : {"or", "and", "not", "wrong", "incorrect", "maybe", "\u00b1", "versus"})
      if (strings::lower(word) == w) return true;
  return false;
}

// The unit at the front of the words behind a number: the longest known one of up to four words,
// else the first word as it is (a wrong unit is still a unit).
inline std::string leading_unit(const std::vector<std::string>& words, std::size_t& used) {
  std::string unit, best;
  used = 0;
  for (std::size_t i = 0; i < words.size() && i < 4; ++i) {
    std::string word = words[i];
    if (i > 0 && is_plain_word(word)) break;
    const bool ends =
        !word.empty() && std::string_view(",;:.!").find(word.back()) != std::string::npos;
    while (!word.empty() && std::string_view(",;:.!").find(word.back()) != std::string::npos)
      word.pop_back();
    unit += (unit.empty() ? "" : " ") + word;
    const bool odd = i == 0 && strings::has_word(word);
    if (known_unit(unit) || odd) best = unit, used = i + 1;
    if (ends) break;
  }
  return best;
}

inline std::optional<Quantity> parse_plain(std::string_view s) {
  Scanner scanner(s);
  const auto value = scanner.value();
  if (!value) return std::nullopt;
  const std::string rest = close_up(scanner.rest());
  if (has_number(rest)) return std::nullopt;
  const auto words = strings::split_words(rest);
  if (hedges(words)) return std::nullopt;
  Quantity out{*value, "", scanner.significant(), ""};
  std::size_t used = 0;
  out.unit = leading_unit(words, used);
  for (; used < words.size(); ++used) out.note += (out.note.empty() ? "" : " ") + words[used];
  return out;
}

inline std::string_view drop_lead_in(std::string_view s) {
  for (bool again = true; again;) {
    again = false;
    s = strings::trim(s);
    for (const std::string_view word :
         {"approximately", "approx.", "approx", "about", "roughly", "around", "nearly", "is", "="})
      if (s.size() > word.size() && strings::lower(s.substr(0, word.size())) == word &&
          (word == "=" || !strings::is_word(s[word.size()]))) {
        s.remove_prefix(word.size());
        again = true;
      }
  }
  return s;
}

}  // namespace quantity_detail

/// Whether two quantities are the same within a relative tolerance, converting `a` to the unit of
/// `b`. A missing unit equals only a missing unit or a dimensionless one.
inline bool same_quantity(const Quantity& a, const Quantity& b, double tolerance) {
  const auto value = convert(a.value, a.unit, b.unit);
  if (!value) return false;
  return std::abs(*value - b.value) <= std::max(tolerance * std::abs(b.value), 1e-12);
}

/// Reads one quantity. Nothing when there is no number, when several numbers are offered ("12 or
/// 13", "12 ± 1"), or when the number is not worked out ("3 * 4"). In "F = m a = 12 N" the last
/// part counts, and earlier parts that are quantities themselves must agree with it.
inline std::optional<Quantity> parse_quantity(std::string_view raw) {
  namespace detail = quantity_detail;
  constexpr std::size_t longest = 512;
  if (raw.size() > longest) return std::nullopt;
  const std::string all = detail::plain(raw);
  std::string_view s = strings::trim(all);
  while (s.ends_with('.') || s.ends_with('*')) s = strings::trim(s.substr(0, s.size() - 1));
  while (s.starts_with('*')) s = strings::trim(s.substr(1));
  s = detail::drop_lead_in(s);
  const auto last = s.rfind('=');
  const auto tail = last == s.npos ? s : s.substr(last + 1);
  const auto out = detail::parse_plain(detail::drop_lead_in(tail));
  if (!out || last == s.npos) return out;
  for (std::size_t at = 0; at <= last;) {
    const auto end = s.find('=', at);
    const auto part = s.substr(at, end - at);
    if (detail::hedges(strings::split_words(part))) return std::nullopt;
    const auto q = detail::parse_plain(strings::trim(part));
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
