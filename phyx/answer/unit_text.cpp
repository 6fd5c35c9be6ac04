// SPDX-License-Identifier: MIT
// Parsing units by recursive descent, and splitting runs of symbols.
#include "phyx/answer/unit_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "gaze/text/strings.hpp"
#include "phyx/answer/plain_text.hpp"
#include "phyx/answer/unit_words.hpp"

namespace gaze::phyx::unit_text {

std::string spell(std::string_view raw) {
  const std::string text = plain_text::flatten_superscripts(text::trim(raw));
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (const auto found = leading_symbol(rest)) {
      if (found->spelled.starts_with("deg") && !out.empty() && text::is_word(out.back()))
        out += ' ';  // "kg°C"
      out += found->spelled;
      i += found->written.size();
    } else if (rest.starts_with("\u00b5") || rest.starts_with("\u03bc")) {
      out += 'u';
      for (i += 2; i < text.size() && text[i] == ' ';) ++i;
    } else {
      out += text[i++];
    }
  }
  return out;
}

namespace {

using Known = std::function<bool(const std::string&)>;

// The factors of a run of symbols without separators: "kgm" is kg and m; empty if it is no such
// run. Prefixes are preferred at the front ("Nms" is N, m and s).
class Juxtaposed {
 public:
  Juxtaposed(std::string_view word, const Known& known) : known_(known) { search(word, 0); }
  std::vector<std::string> factors() const {
    return best_.size() > 1 ? best_ : std::vector<std::string>();
  }

 private:
  static constexpr std::array<std::string_view, 17> bases = {
      "N", "m", "J", "s", "V", "A", "W", "C", "Pa", "K", "T", "g", "ohm", "rad", "mol", "h", "eV"};
  static constexpr std::string_view prefixes = "kMGmunpc";

  void search(std::string_view rest, std::size_t prefixed) {
    constexpr std::size_t most = 4;
    if (rest.empty()) return keep(prefixed);
    if (now_.size() == most) return;
    for (const auto base : bases)
      for (const bool prefix : {false, true}) {
        const std::size_t size = base.size() + prefix;
        if (prefix && prefixes.find(rest[0]) == prefixes.npos) continue;
        if (!rest.substr(prefix).starts_with(base)) continue;
        const std::string factor(rest.substr(0, size));
        if (repeats(factor) || !known_(factor)) continue;
        const bool later = prefix && !now_.empty();
        now_.push_back(factor);
        search(rest.substr(size), prefixed + later);
        now_.pop_back();
      }
  }
  // "mm" is not a square.
  bool repeats(const std::string& factor) const {
    for (const auto& f : now_)
      if (f == factor) return true;
    return false;
  }
  void keep(std::size_t prefixed) {
    const bool better = prefixed != prefixed_ ? prefixed < prefixed_ : now_.size() < best_.size();
    if (!best_.empty() && !better) return;
    best_ = now_;
    prefixed_ = prefixed;
  }

  const Known& known_;
  std::vector<std::string> now_, best_;
  std::size_t prefixed_ = 0;
};

// Recursive descent parser for one unit.
class UnitParser {
 public:
  UnitParser(std::string_view spelled, Reading reading, const Known& known)
      : s_(spelled), reading_(reading), known_(known) {}

  std::optional<UnitForm> parse() {
    if (s_.empty()) return UnitForm{"1", "1"};
    if (!expression(1) || !s_.empty()) return std::nullopt;
    UnitForm out;
    out.temperature = factors_.size() == 1 && factors_[0].power == 1 && scale_ == 1 &&
                      (factors_[0].text.starts_with("deg") || factors_[0].text == "K") &&
                      factors_[0].text != "degree";
    out.text = write(false);
    out.counted = write(true);
    for (const Factor& f : factors_) {
      const auto has = [&](const char* part) { return f.text.find(part) != std::string::npos; };
      out.hertz = out.hertz || has("Hz") || has("hertz");
      out.angle = out.angle || has("rad") || has("degree");
      out.turn = out.turn || !f.counted.empty();
    }
    return out;
  }

 private:
  struct Factor {
    std::string text, counted;
    int power = 1;
  };

  bool eat(std::string_view token) {
    if (!s_.starts_with(token)) return false;
    s_.remove_prefix(token.size());
    return true;
  }
  void skip() {
    while (eat(" ")) {
    }
  }
  static bool is_letter(char c) { return text::is_word(c) && !plain_text::is_digit(c); }
  std::string_view word() const {
    std::size_t n = 0;
    while (n < s_.size() && (is_letter(s_[n]) || s_[n] == '_')) ++n;
    return s_.starts_with('%') ? s_.substr(0, 1) : s_.substr(0, n);
  }
  bool eat_word(std::string_view want) { return word() == want && eat(want); }

  // Parses up to the end or a closing bracket; `sign` is -1 after a slash.
  bool expression(int sign) {
    int side = sign;
    for (bool wants = true, any = false;;) {
      skip();
      if (s_.empty() || s_[0] == ')') return any && !wants;
      if (eat("/") || eat_word("per")) {
        if (any && wants) return false;
        side = -sign;
        wants = true;
        continue;
      }
      const bool times = eat_times();
      if (times && wants) return false;
      if (!wants && reading_ == Reading::literal) side = sign;
      if (times) {
        wants = true;
        continue;
      }
      if (!operand(side)) return false;
      wants = false;
      any = true;
    }
  }

  bool eat_times() {
    if (s_.starts_with("**")) return false;
    return eat("*") || eat(".") || eat("-");
  }

  bool operand(int side) {
    if (eat("(")) {
      const std::size_t first = factors_.size();
      if (!expression(side) || !eat(")")) return false;
      return raise(first, 1);
    }
    if (plain_text::is_digit(s_[0])) return number(side);
    int times = 1;
    for (const auto& [name, power] :
         {std::pair<std::string_view, int>{"square", 2}, {"sq", 2}, {"cubic", 3}})
      if (eat_word(name)) {
        times = power;
        eat(".");
        skip();
        break;
      }
    const std::size_t before = factors_.size();
    if (!factor(side)) return false;
    // An exponent belongs to the last of several symbols in a run: "kgm^2".
    return raise(std::max(before, factors_.size() - 1), times);
  }

  bool number(int side) {
    double v = 0;
    const auto [end, error] = std::from_chars(s_.data(), s_.data() + s_.size(), v);
    if (error != std::errc() || v <= 0 || !std::isfinite(v)) return false;
    s_.remove_prefix(static_cast<std::size_t>(end - s_.data()));
    int power = 1;
    if ((s_.starts_with('^') || s_.starts_with("**")) && !exponent(power)) return false;
    scale_ *= std::pow(v, side * power);
    return std::isfinite(scale_) && scale_ > 0;
  }

  // Appends the factors of the next word.
  bool factor(int side) {
    const std::string name(word());
    if (name.empty()) return false;
    s_.remove_prefix(name.size());
    const auto push = [&](std::string text, std::string counted = {}) {
      factors_.push_back({std::move(text), std::move(counted), side});
      return true;
    };
    const auto entry = known_word(name);
    if ((entry ? *entry : name).starts_with("degree"))
      if (const auto scale = eat_scale()) return push(std::string(*scale));
    if (reading_ == Reading::metre_second && name == "ms" && negative_power_follows())
      return push("m") && push("s");
    if (const auto joined = join_prefix(name)) return push(*joined);
    if (const auto count = counted_turn(name))
      return push(std::string(entry.value_or(name)), std::string(*count));
    if (entry) return push(std::string(*entry));
    if (name != "Tm" && known_(name)) return push(name);  // tesla metre, not a terametre
    if (name[0] == 'K' && known_("k" + name.substr(1))) return push("k" + name.substr(1));
    return run_of_symbols(name, push);
  }

  template <class Push>
  bool run_of_symbols(const std::string& name, const Push& push) {
    constexpr std::size_t longest = 10;
    // Capitals alone are usually a name ("AC", "NW") unless an exponent follows.
    bool small = negative_power_follows();
    for (const char c : name) small = small || std::islower(static_cast<unsigned char>(c));
    if (!small || name.size() > longest) return false;
    const auto found = Juxtaposed(name, known_).factors();
    for (const auto& f : found) push(f);
    return !found.empty();
  }

  // "degrees C": the scale after the word for degrees.
  std::optional<std::string_view> eat_scale() {
    const auto before = s_;
    skip();
    if (const auto scale = temperature_scale(word())) {
      s_.remove_prefix(word().size());
      return scale;
    }
    s_ = before;
    return std::nullopt;
  }

  // "k Ω": a separate prefix that is not a unit itself.
  std::optional<std::string> join_prefix(const std::string& name) {
    constexpr std::string_view lone = "kMGnp";
    if (name.size() != 1 || lone.find(name[0]) == lone.npos || !s_.starts_with(' '))
      return std::nullopt;
    const auto before = s_;
    skip();
    const std::string both = name + std::string(word());
    if (both.size() > 1 && known_(both)) {
      s_.remove_prefix(both.size() - 1);
      return both;
    }
    s_ = before;
    return std::nullopt;
  }

  bool negative_power_follows() const {
    auto s = s_;
    for (const std::string_view sign : {"^", "**", "("})
      if (s.starts_with(sign)) s.remove_prefix(sign.size());
    return s.size() > 1 && s[0] == '-' && plain_text::is_digit(s[1]);
  }

  // Parses an exponent; false if it is not valid for a unit.
  bool exponent(int& power) {
    if (!eat("^")) eat("**");
    skip();
    const bool bracket = eat("(");
    const int sign = eat("-") ? -1 : (eat("+"), 1);
    std::size_t n = 0;
    while (n < s_.size() && plain_text::is_digit(s_[n])) ++n;
    constexpr std::size_t most_digits = 2;
    if (n == 0 || n > most_digits) return false;
    std::from_chars(s_.data(), s_.data() + n, power);
    power *= sign;
    s_.remove_prefix(n);
    if (s_.starts_with('.') && s_.size() > 1 && plain_text::is_digit(s_[1])) return false;
    return !bracket || eat(")");
  }

  bool power_follows() const {
    if (s_.starts_with('^') || s_.starts_with("**")) return true;
    const bool sign = s_.starts_with('-') || s_.starts_with('+');
    return s_.size() > sign && plain_text::is_digit(s_[sign]);
  }

  // Multiplies the powers of all factors from `first` on by `times` and by a following exponent.
  bool raise(std::size_t first, int times) {
    int power = 1;
    if (power_follows() && !exponent(power)) return false;
    const auto before = s_;
    skip();
    if (eat_word("squared"))
      power *= 2;
    else if (eat_word("cubed"))
      power *= 3;
    else
      s_ = before;
    constexpr int highest = 99;
    for (std::size_t i = first; i < factors_.size(); ++i) {
      factors_[i].power *= power * times;
      if (std::abs(factors_[i].power) > highest) return false;
    }
    return true;
  }

  // In a product a temperature degree is a difference.
  std::string write(bool counted) const {
    std::string out;
    if (scale_ != 1 || factors_.empty()) {
      std::array<char, 32> number{};
      std::snprintf(number.data(), number.size(), "%.17g", scale_);
      out = number.data();
    }
    for (const Factor& f : factors_) {
      const bool alone = factors_.size() == 1 && f.power == 1;
      std::string text = counted && !f.counted.empty() ? f.counted : f.text;
      if (!alone && (text == "degC" || text == "celsius")) text = "K";
      if (!alone && (text == "degF" || text == "fahrenheit")) text = "(K/1.8)";
      out += (out.empty() ? "" : factors_.size() == 1 ? " " : "*") + text;
      if (f.power != 1) out += "^" + std::to_string(f.power);
    }
    return out;
  }

  std::string_view s_;
  Reading reading_;
  const Known& known_;
  std::vector<Factor> factors_;
  double scale_ = 1;
};

}  // namespace

std::optional<UnitForm> parse_unit(std::string_view spelled, Reading reading, const Known& known) {
  return UnitParser(spelled, reading, known).parse();
}

}  // namespace gaze::phyx::unit_text
