// SPDX-License-Identifier: MIT
// A recursive descent parser for Python literals that keeps only types and texts.
#include "phyx/scoring/python_literal.hpp"

#include <cstddef>
#include <utility>

#include "phyx/scoring/python_text.hpp"

namespace gaze::phyx::python {

namespace {

class LiteralReader {
 public:
  using Value = Literal;
  using Kind = Literal::Kind;

  /// Empty if the text is not a literal.
  static std::optional<Value> read(std::u32string_view source) {
    LiteralReader reader(source);
    try {
      Value value = reader.value();
      reader.skip_space();
      if (reader.here() == ',') return Value{};  // a tuple without parentheses: not a dict
      if (reader.at_ != source.size()) return std::nullopt;
      return value;
    } catch (const Malformed&) {
      return std::nullopt;
    }
  }

 private:
  struct Malformed {};
  static constexpr int deepest = 200;  // limit of Python's tokeniser

  explicit LiteralReader(std::u32string_view source) : source_(source) {}

  char32_t here(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : 0;
  }
  static void need(bool condition) {
    if (!condition) throw Malformed{};
  }
  bool eat(char32_t wanted) {
    skip_space();
    if (here() != wanted) return false;
    ++at_;
    return true;
  }
  bool eat_word(std::u32string_view word) {
    if (source_.substr(at_, word.size()) != word || is_word(here(word.size()))) return false;
    at_ += word.size();
    return true;
  }
  /// Skips blanks; inside brackets also line ends and comments.
  void skip_space() {
    for (;; ++at_) {
      const char32_t c = here();
      if (depth_ > 0 && c == '#')
        while (here(1) != 0 && here(1) != '\n') ++at_;
      else if (c != ' ' && c != '\t' && c != '\f' && (depth_ == 0 || (c != '\n' && c != '\r')))
        return;
    }
  }

  Value value() {
    skip_space();
    const char32_t c = here();
    if (c == '{') return braces();
    if (c == '[') return items(']', Kind::unhashable);
    if (c == '(') return items(')', Kind::hashable);
    if (starts_string()) return strings();
    if (eat_word(U"True") || eat_word(U"False") || eat_word(U"None")) return {};
    if (source_.substr(at_, 3) == U"...") {
      at_ += 3;
      return {};
    }
    return number();
  }

  /// A list or tuple; parentheses around one value without a comma are that value.
  Value items(char32_t close, Kind kind) {
    ++at_;
    need(++depth_ < deepest);
    Value first;
    std::size_t count = 0, commas = 0;
    bool hashable = true;
    while (!eat(close)) {
      need(count == commas);
      Value item = value();
      hashable = hashable && is_hashable(item);
      if (count++ == 0) first = std::move(item);
      if (eat(',')) ++commas;
    }
    --depth_;
    if (close == ')' && count == 1 && commas == 0) return first;
    Value result;
    result.kind = hashable ? kind : Kind::unhashable;
    return result;
  }

  static bool is_hashable(const Value& v) {
    return v.kind == Kind::text || v.kind == Kind::hashable;
  }

  /// A dict, a set, or {} (a dict).
  Value braces() {
    ++at_;
    need(++depth_ < deepest);
    Value dict;
    dict.kind = Kind::dict;
    bool is_set = false;
    for (bool first = true, comma = true; !eat('}'); first = false) {
      need(comma);
      const Value key = value();
      need(is_hashable(key));
      const bool pair = eat(':');
      need(first || pair != is_set);
      is_set = !pair;
      if (pair) {
        Value item = value();
        if (key.kind == Kind::text && key.text == U"content") {
          dict.content.reset();
          if (item.kind == Kind::text) dict.content = std::move(item.text);
        }
      }
      comma = eat(',');
    }
    --depth_;
    if (is_set) dict.kind = Kind::unhashable;
    return dict;
  }

  /// Whether a string starts here, with an optional prefix (r, u, b, br, rb in either case).
  bool starts_string() const {
    std::size_t n = 0;
    while (n < 2 && std::u32string_view(U"rRuUbB").find(here(n)) != std::u32string_view::npos) ++n;
    if (here(n) != '"' && here(n) != '\'') return false;
    const char32_t a = here(0) | 32, b = here(1) | 32;
    return n < 2 || (a == 'r' && b == 'b') || (a == 'b' && b == 'r');
  }

  /// One string, or several adjacent ones, which Python concatenates.
  Value strings() {
    Value joined;
    bool bytes = false;
    for (bool first = true; starts_string(); first = false) {
      bool raw = false, is_bytes = false;
      for (; here() != '"' && here() != '\''; ++at_) {
        raw = raw || (here() | 32) == 'r';
        is_bytes = is_bytes || (here() | 32) == 'b';
      }
      need(first || bytes == is_bytes);
      bytes = is_bytes;
      one_string(joined.text, raw, bytes);
      skip_space();
    }
    joined.kind = bytes ? Kind::hashable : Kind::text;
    return joined;
  }

  void one_string(std::u32string& text, bool raw, bool bytes) {
    const char32_t quote = here();
    const bool triple = here(1) == quote && here(2) == quote;
    at_ += triple ? 3 : 1;
    while (here() != quote || (triple && (here(1) != quote || here(2) != quote))) {
      const char32_t c = here();
      need(c != 0 && (triple || c != '\n') && !(bytes && c >= 0x80));
      ++at_;
      if (c != '\\') {
        text += c;
      } else if (raw) {
        need(here() != 0);
        (text += c) += here();
        ++at_;
      } else {
        escape(text, bytes);
      }
    }
    at_ += triple ? 3 : 1;
  }

  /// Decodes an escape after its backslash. Unknown escapes keep the backslash, as in Python.
  void escape(std::u32string& text, bool bytes) {
    static constexpr std::u32string_view names = U"abfnrtv\\'\"", codes = U"\a\b\f\n\r\t\v\\'\"";
    const char32_t c = here();
    need(c != 0);
    ++at_;
    if (const std::size_t known = names.find(c); known != names.npos) {
      text += codes[known];
    } else if (c == 'x' || (!bytes && (c == 'u' || c == 'U'))) {
      text += hexadecimal(c == 'x' ? 2 : c == 'u' ? 4 : 8);
    } else if (c >= '0' && c <= '7') {
      char32_t code = c - '0';
      for (int i = 0; i < 2 && here() >= '0' && here() <= '7'; ++i)
        code = code * 8 + source_[at_++] - '0';
      text += code;
    } else if (c != '\n') {
      need(bytes || c != 'N');  // \N{NAME}: no table of names here
      (text += '\\') += c;
    }
  }

  char32_t hexadecimal(int digits) {
    char32_t code = 0;
    for (; digits > 0; --digits, ++at_) {
      const std::size_t digit = std::u32string_view(U"0123456789abcdef").find(lower_point(here()));
      need(digit != std::u32string_view::npos && code <= 0x10FFFF);
      code = code * 16 + static_cast<char32_t>(digit);
    }
    need(code <= 0x10FFFF);
    return code;
  }

  /// An optional sign and a number, or a complex sum of two; the value is ignored.
  Value number() {
    pass_sign();
    unsigned_number();
    skip_space();
    if (pass_sign()) {
      unsigned_number();
      need(source_[at_ - 1] == 'j' || source_[at_ - 1] == 'J');
    }
    return {};
  }

  bool pass_sign() {
    if (here() != '+' && here() != '-') return false;
    ++at_;
    skip_space();
    return true;
  }

  void unsigned_number() {
    const char32_t base = here() == '0' ? here(1) | 32 : 0;
    if (base == 'x' || base == 'o' || base == 'b') {
      at_ += 2;
      if (here() == '_') ++at_;
      need(digits(base == 'x' ? U"0123456789abcdefABCDEF" : base == 'o' ? U"01234567" : U"01") > 0);
    } else {
      decimal();
    }
    need(!is_word(here()));
  }

  void decimal() {
    const std::size_t start = at_;
    std::size_t count = digits(U"0123456789");
    const bool padded = count > 1 && source_[start] == '0' &&
                        source_.substr(start, at_ - start).find_first_not_of(U"0_") != source_.npos;
    bool whole = true;
    if (here() == '.') {
      ++at_;
      whole = false;
      count += digits(U"0123456789");
    }
    need(count > 0);
    if (here() == 'e' || here() == 'E') {
      ++at_;
      whole = false;
      if (here() == '+' || here() == '-') ++at_;
      need(digits(U"0123456789") > 0);
    }
    if (here() == 'j' || here() == 'J') {
      ++at_;
      whole = false;
    }
    need(!whole || !padded);  // 007 is no integer in Python
  }

  /// Skips digits with single underscores between them; returns the number of digits.
  std::size_t digits(std::u32string_view allowed) {
    std::size_t count = 0;
    const auto is_digit = [&](char32_t c) { return c != 0 && allowed.find(c) != allowed.npos; };
    while (is_digit(here()) || (count > 0 && here() == '_' && is_digit(here(1)))) {
      if (here() != '_') ++count;
      ++at_;
    }
    return count;
  }

  std::u32string_view source_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<Literal> Literal::parse(std::u32string_view source) {
  return LiteralReader::read(source);
}

}  // namespace gaze::phyx::python
