// SPDX-License-Identifier: MIT
// Parsing digits with their separators, and the expression around them by recursive descent.
#include "phyx/answer/number_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <vector>

#include "gaze/text/strings.hpp"
#include "phyx/answer/plain_text.hpp"

namespace gaze::phyx {

namespace {

using plain_text::is_digit;

// The digits at the front of a text with the separators between them: "1.234,5".
struct WrittenNumber {
  std::vector<std::string_view> groups;  // digits; the first may be empty: ".5"
  std::string marks;                     // between the groups: '.', ',' or ' '
  std::size_t size = 0;                  // bytes of text

  explicit WrittenNumber(std::string_view s) {
    for (;;) {
      std::size_t end = size;
      while (end < s.size() && is_digit(s[end])) ++end;
      groups.push_back(s.substr(size, end - size));
      size = end;
      const auto rest = s.substr(end);
      const bool thin = rest.starts_with(plain_text::thin_space);
      const bool space = thin || starts_group(rest);
      const std::size_t mark = thin ? plain_text::thin_space.size() : 1;
      if (rest.size() <= mark || !is_digit(rest[mark])) return;
      if (!space && rest[0] != '.' && rest[0] != ',') return;
      if (groups.size() == 1 && groups[0].empty() && rest[0] != '.') return;
      marks += space ? ' ' : rest[0];
      size += mark;
    }
  }

  // The number with a decimal point only; empty if the separators are inconsistent. A comma before
  // three digits separates thousands, except after a single 0; any other comma is decimal.
  std::string decimal() const {
    if (marks.empty()) return std::string(groups[0]);
    const char last = marks.back();
    const auto same = static_cast<std::size_t>(std::count(marks.begin(), marks.end(), last));
    const bool mixed = same != marks.size();
    bool fraction = last != ' ' && same == 1;
    if (fraction && !mixed && last == ',')
      fraction = groups[0] == "0" || groups[1].size() != 3 || groups[0].size() > 3;
    const std::size_t whole = groups.size() - fraction;
    if (!thousands(whole)) return "";
    std::string out;
    for (std::size_t i = 0; i < whole; ++i) out += groups[i];
    return fraction ? (out += '.').append(groups.back()) : out;
  }

 private:
  // " 000" after up to three digits. After an ordinary space any other group may be a second
  // number, and two numbers are no answer.
  bool starts_group(std::string_view s) const {
    return s.starts_with(" 000") && (s.size() == 4 || !is_digit(s[4])) && groups[0].size() <= 3 &&
           !groups[0].empty() && groups[0][0] != '0' && marks.find_first_not_of(' ') == marks.npos;
  }

  // The first `n` groups have the same separator, and three digits each except the first.
  bool thousands(std::size_t n) const {
    if (n == 1) return true;
    if (groups[0].empty() || groups[0].size() > 3 || groups[0] == "0") return false;
    for (std::size_t i = 1; i < n; ++i)
      if (groups[i].size() != 3 || marks[i - 1] != marks[0]) return false;
    return true;
  }
};

// Parser for the front of a flattened text.
class Scanner {
 public:
  explicit Scanner(std::string_view s) : rest_(s) {}
  std::string_view rest() const { return rest_; }
  int significant() const { return significant_; }

  // value := [sign] product [/ product], where a product is a number with powers of ten, π and √.
  std::optional<double> value() {
    constexpr int deepest = 8;
    if (++depth_ > deepest) return std::nullopt;
    double sign = 1;
    if (!eat("+") && (eat("-") || eat_word("minus") || eat_word("negative"))) sign = -1;
    auto v = product();
    --depth_;
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
  static constexpr std::array<std::string_view, 6> times = {"\u00d7", "\u00b7", "\u2715",
                                                            "*",      "x",      "X"};
  static constexpr std::string_view pi = "\u03c0", root = "\u221a";

  bool eat(std::string_view token) {
    auto s = text::trim(rest_);
    if (!s.starts_with(token)) return false;
    s.remove_prefix(token.size());
    rest_ = s;
    return true;
  }
  bool starts_word(std::string_view word) const {
    const auto s = text::trim(rest_);
    return s.starts_with(word) && (s.size() == word.size() || !text::is_word(s[word.size()]));
  }
  bool eat_word(std::string_view word) { return starts_word(word) && eat(word); }
  bool eat_pi() { return eat(pi) || eat_word("pi"); }

  // A multiplication sign followed by a number.
  bool eat_times() {
    const auto before = rest_;
    for (const auto sign : times)
      if (eat(sign)) {
        const auto s = text::trim(rest_);
        if (!s.empty() &&
            (is_digit(s[0]) || s.starts_with(pi) || s.starts_with(root) || starts_word("pi")))
          return true;
        rest_ = before;
        return false;
      }
    return false;
  }

  std::optional<double> product() {
    auto v = mixed_number();
    while (v) {
      if (eat_times()) {
        const auto power = fraction();
        if (!power || (!was_power_of_ten_ && !was_symbol_)) return std::nullopt;  // "3 * 4"
        *v *= *power;
      } else if (starts_symbol()) {
        const auto symbol = fraction();
        if (!symbol) return std::nullopt;
        *v *= *symbol;
      } else {
        break;
      }
    }
    return v;
  }
  bool starts_symbol() const {
    const auto s = text::trim(rest_);
    return s.starts_with(pi) || s.starts_with(root) || starts_word("pi");
  }

  // "1 1⁄2"; also "1 1/2", an integer followed by a proper fraction.
  std::optional<double> mixed_number() {
    const auto start = rest_;
    auto v = fraction();
    if (!v || was_power_of_ten_ || was_symbol_ || !is_whole(start)) return v;
    const auto before = rest_;
    if (!before.starts_with(' ')) return v;
    const auto above = digits();
    const bool slash = above && (rest_.starts_with('/') || rest_.starts_with("\u2044"));
    if (slash) rest_.remove_prefix(rest_[0] == '/' ? 1 : plain_text::fraction_slash.size());
    const auto below = slash && !rest_.empty() && is_digit(rest_[0]) ? digits() : std::nullopt;
    if (below && *above < *below) return *v + *above / *below;
    rest_ = before;
    return v;
  }
  // Whether only digits were read since `start`.
  bool is_whole(std::string_view start) const {
    const auto text = text::trim(start.substr(0, start.size() - rest_.size()));
    return std::all_of(text.begin(), text.end(), is_digit);
  }

  // A factor, or two with a fraction slash between them, which binds tighter than a product.
  std::optional<double> fraction() {
    auto v = factor();
    if (!v || !rest_.starts_with(plain_text::fraction_slash)) return v;
    rest_.remove_prefix(plain_text::fraction_slash.size());
    const bool symbol = was_symbol_;
    const auto below = factor();
    was_power_of_ten_ = false;
    was_symbol_ = symbol;
    if (!below || *below == 0) return std::nullopt;
    return *v / *below;
  }

  std::optional<double> factor() {
    was_power_of_ten_ = false;
    was_symbol_ = true;
    if (eat_pi()) return raised(std::numbers::pi);
    if (eat(root)) {
      const auto v = text::trim(rest_).starts_with('(') ? in_brackets() : digits();
      return v && *v >= 0 ? std::optional(std::sqrt(*v)) : std::nullopt;
    }
    was_symbol_ = false;
    if (text::trim(rest_).starts_with('(')) return in_brackets();
    const auto v = digits();
    if (!v) return v;
    const auto before = rest_;
    const auto out = raised(*v);
    was_power_of_ten_ = *v == 10 && rest_.size() != before.size();
    return out;
  }

  std::optional<double> in_brackets() {
    eat("(");
    const auto v = value();
    return v && eat(")") ? v : std::nullopt;
  }

  // "10^-19", "10^(-19)", "10**3"; two stars without a number after them are markup.
  std::optional<double> raised(double base) {
    const auto before = rest_;
    const bool caret = eat("^");
    if (!caret && !(rest_.starts_with("**") && eat("**"))) return base;
    const double sign = eat("-") ? -1 : (eat("+"), 1);
    const auto s = text::trim(rest_);
    if (!caret && (s.empty() || !(is_digit(s[0]) || s[0] == '('))) {
      rest_ = before;
      return base;
    }
    const auto power = s.starts_with('(') ? in_brackets() : digits();
    if (!power) return std::nullopt;
    return std::pow(base, sign * *power);
  }

  // An unsigned decimal number with thousands separators and an exponent.
  std::optional<double> digits() {
    const auto s = text::trim(rest_);
    const WrittenNumber written(s);
    std::string number = written.decimal();
    if (number.empty()) return std::nullopt;
    significant_ = std::max(significant_, count_significant(number));
    std::size_t i = written.size;
    if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
      std::size_t j = i + 1;
      if (j < s.size() && (s[j] == '-' || s[j] == '+')) ++j;
      if (j < s.size() && is_digit(s[j])) {
        number += s[i + 1] == '-' ? "e-" : "e";
        for (i = j; i < s.size() && is_digit(s[i]);) number += s[i++];
      }
    }
    rest_ = s.substr(i);
    double v = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), v);
    const bool whole = error == std::errc() && end == number.data() + number.size();
    return whole && std::isfinite(v) ? std::optional(v) : std::nullopt;
  }

  static int count_significant(std::string_view number) {
    int n = 0;
    for (const char c : number)
      if (is_digit(c) && (n > 0 || c != '0')) ++n;
    return n > 0 ? n : 1;
  }

  std::string_view rest_;
  int significant_ = 0, depth_ = 0;
  bool was_power_of_ten_ = false, was_symbol_ = false;
};

}  // namespace

std::optional<LeadingNumber> leading_number(std::string_view flat) {
  Scanner scanner(flat);
  const auto value = scanner.value();
  if (!value) return std::nullopt;
  return LeadingNumber{*value, scanner.significant(), scanner.rest()};
}

}  // namespace gaze::phyx
