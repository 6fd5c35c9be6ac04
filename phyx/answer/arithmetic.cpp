// SPDX-License-Identifier: MIT
// Evaluating arithmetic by recursive descent, and finding it in a text.
#include "phyx/answer/arithmetic.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <string>

#include "gaze/text/strings.hpp"
#include "phyx/answer/plain_text.hpp"

namespace gaze::phyx {

namespace {

// Relative tolerance: 1.6e-19 and 3.2e-19 differ.
bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::abs(b); }

bool contains(const std::vector<double>& pool, double v) {
  return std::any_of(pool.begin(), pool.end(), [v](double x) { return near(v, x); });
}

constexpr std::array<std::string_view, 9> functions = {"sqrt", "asin", "acos", "atan", "sin",
                                                       "cos",  "tan",  "exp",  "ln"};

// The function name at the front of the text, as a whole word; empty if there is none.
std::string_view function_at(std::string_view s) {
  for (const auto name : functions)
    if (s.starts_with(name) && (s.size() == name.size() || !text::is_word(s[name.size()])))
      return name;
  return {};
}

double apply(std::string_view name, double x) {
  constexpr double degree = std::numbers::pi / 180;
  if (name == "sqrt") return std::sqrt(x);
  if (name == "sin") return std::sin(x * degree);
  if (name == "cos") return std::cos(x * degree);
  if (name == "tan") return std::tan(x * degree);
  if (name == "asin") return std::asin(x) / degree;
  if (name == "acos") return std::acos(x) / degree;
  if (name == "atan") return std::atan(x) / degree;
  return name == "exp" ? std::exp(x) : std::log(x);
}

bool is_pi(std::string_view s) {
  return s == "\u03c0" || (s.starts_with("pi") && (s.size() == 2 || !text::is_word(s[2])));
}

// Replaces multiplication signs by " * ".
std::string starred(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    const auto rest = s.substr(i);
    const bool sign = rest.starts_with("\u00d7") || rest.starts_with("\u00b7");
    out += sign ? " * " : std::string_view(rest.data(), 1);
    i += sign ? 2 : 1;
  }
  return out;
}

// Keeps numbers, operators and functions; drops names and units ("F", "kg", "m/s^2").
std::string only_arithmetic(std::string_view s) {
  std::string out;
  for (const auto& word : text::split_words(starred(plain_text::plain(s)))) {
    const bool letter = std::isalpha(static_cast<unsigned char>(word[0])) || word[0] == '%';
    if (word == "x")
      out += "* ";
    else if (!letter || !function_at(word).empty() || is_pi(word))
      out += word + " ";
  }
  return out;
}

// Evaluates an expression by recursive descent and records its operands.
class Expression {
 public:
  explicit Expression(std::string_view s) : s_(s) {}

  std::optional<double> evaluate() {
    const auto v = sum();
    skip();
    if (!v || !s_.empty() || !std::isfinite(*v)) return std::nullopt;
    return v;
  }
  const std::vector<double>& operands() const { return operands_; }
  int operators() const { return operators_; }
  int decimals() const { return decimals_; }  // decimals of the last number

 private:
  void skip() { s_ = text::trim(s_); }
  bool eat(char c) {
    skip();
    if (s_.empty() || s_[0] != c) return false;
    s_.remove_prefix(1);
    return true;
  }

  std::optional<double> sum() {
    auto v = product();
    while (v) {
      const bool plus = eat('+');
      if (!plus && !eat('-')) break;
      const auto w = product();
      ++operators_;
      v = w ? std::optional(plus ? *v + *w : *v - *w) : std::nullopt;
    }
    return v;
  }
  std::optional<double> product() {
    auto v = power();
    while (v) {
      const bool times = eat('*');
      if (!times && !eat('/')) break;
      const auto w = power();
      ++operators_;
      v = w ? std::optional(times ? *v * *w : *v / *w) : std::nullopt;
    }
    return v;
  }
  std::optional<double> power() {
    const auto v = unary();
    if (!v || !eat('^')) return v;
    const auto w = unary();
    ++operators_;
    return w ? std::optional(std::pow(*v, *w)) : std::nullopt;
  }
  std::optional<double> unary() {
    constexpr int deepest = 32;
    if (++depth_ > deepest) return std::nullopt;
    std::optional<double> v;
    if (eat('-')) {
      v = unary();
      if (v) v = -*v;
    } else {
      v = primary();
    }
    --depth_;
    return v;
  }
  std::optional<double> primary() {
    if (eat('(')) {
      const auto v = sum();
      return v && eat(')') ? v : std::nullopt;
    }
    skip();
    if (const auto name = function_at(s_); !name.empty()) {
      s_.remove_prefix(name.size());
      const auto v = unary();
      ++operators_;
      return v ? std::optional(apply(name, *v)) : std::nullopt;
    }
    for (const std::string_view pi : {"\u03c0", "pi"})
      if (s_.starts_with(pi)) {
        s_.remove_prefix(pi.size());
        return std::numbers::pi;
      }
    return number();
  }
  std::optional<double> number() {
    double v = 0;
    if (s_.empty() || !(plain_text::is_digit(s_[0]) || s_[0] == '.')) return std::nullopt;
    const auto [end, error] = std::from_chars(s_.data(), s_.data() + s_.size(), v);
    if (error != std::errc() || !std::isfinite(v)) return std::nullopt;
    const std::string_view written(s_.data(), static_cast<std::size_t>(end - s_.data()));
    const auto point = written.find('.');
    decimals_ = point == written.npos ? 0 : static_cast<int>(written.size() - point) - 1;
    s_.remove_prefix(written.size());
    operands_.push_back(v);
    return v;
  }

  std::string_view s_;
  std::vector<double> operands_;
  int operators_ = 0, decimals_ = 0, depth_ = 0;
};

// Within half a unit of the last written digit (at most 5 %), or within half a percent.
bool rounds_to(double exact, double written, int decimals) {
  const double half_digit = .5 * std::pow(10.0, -decimals);
  const double size = std::abs(exact);
  // As in the strict rule: "20 * cos 90" is 1e-15 in doubles.
  const double noise = written == 0 ? 1e-12 : 1e-9 * size;
  return std::abs(exact - written) <=
         std::max(std::min(half_digit, .05 * size), .005 * size) + noise;
}

void equations_of_clause(std::string_view clause, std::vector<Equation>& out) {
  std::optional<double> left;
  std::vector<double> operands;
  int operators = 0;
  for (std::size_t at = 0; at <= clause.size();) {
    const auto end = std::min(clause.find('=', at), clause.size());
    const std::string part = only_arithmetic(clause.substr(at, end - at));
    Expression expression(part);
    const auto value = expression.evaluate();
    if (left && value && operators > 0) {
      Equation e{operands, *left, *value, false, false};
      e.holds = rounds_to(*left, *value, expression.decimals());
      e.trivial = contains(operands, std::abs(*value));
      out.push_back(std::move(e));
    }
    left = value;
    operands = expression.operands();
    operators = expression.operators();
    at = end + 1;
  }
}

}  // namespace

bool NumberSet::contains(double v) const {
  const double slack = 2e-9 * std::abs(v);  // wider than near(), which makes the decision
  for (auto it = values_.lower_bound(v - slack); it != values_.end() && *it <= v + slack; ++it)
    if (near(v, *it)) return true;
  return false;
}

std::vector<Equation> find_equations(std::string_view text) {
  constexpr std::size_t longest = 16384;
  std::vector<Equation> out;
  if (text.size() > longest) return out;
  std::string clause;
  const auto flush = [&] {
    if (clause.find('=') != clause.npos) equations_of_clause(clause, out);
    clause.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool stop = std::string_view(".,;:").find(text[i]) != std::string_view::npos;
    const bool alone = stop && (i + 1 == text.size() || text::is_space(text[i + 1]));
    if (alone || text[i] == '\n')
      flush();
    else
      clause += text[i];
  }
  flush();
  return out;
}

std::vector<double> numbers_in(std::string_view raw) {
  const std::string text = plain_text::plain(raw);
  std::vector<double> out;
  for (std::size_t i = 0; i < text.size();) {
    const bool inside = i > 0 && (text::is_word(text[i - 1]) || text[i - 1] == '^' ||
                                  text[i - 1] == '_' || text[i - 1] == '.');
    double v = 0;
    if (!plain_text::is_digit(text[i]) || inside) {
      ++i;
      continue;
    }
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), v);
    if (error == std::errc()) out.push_back(v);
    i = static_cast<std::size_t>(end - text.data());
  }
  return out;
}

}  // namespace gaze::phyx
