// SPDX-License-Identifier: MIT
// Tables of commands and characters, and the pass that applies them.
#include "phyx/answer/plain_text.hpp"

#include <array>
#include <cctype>
#include <cstddef>
#include <utility>
#include <vector>

#include "gaze/text/strings.hpp"

namespace gaze::phyx::plain_text {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Commands that letters may follow directly ("^\circC", "\mum").
constexpr auto symbol_commands = std::to_array<Pair>({{"left", ""},
                                                      {"right", ""},
                                                      {"times", "\u00d7"},
                                                      {"cdot", "\u00b7"},
                                                      {"pi", "\u03c0"},
                                                      {"Omega", "\u03a9"},
                                                      {"mu", "\u00b5"},
                                                      {"circ", "\u00b0"},
                                                      {"degree", "\u00b0"},
                                                      {"approx", "="},
                                                      {"simeq", "="},
                                                      {"sim", "="},
                                                      {"pm", "\u00b1"},
                                                      {"quad", " "}});
// Commands that must match as whole words; fonts and boxes become a space.
constexpr auto word_commands = std::to_array<Pair>({{"text", " "},
                                                    {"textbf", " "},
                                                    {"textit", " "},
                                                    {"textrm", " "},
                                                    {"textsf", " "},
                                                    {"mathrm", " "},
                                                    {"mathbf", " "},
                                                    {"mathit", " "},
                                                    {"mathsf", " "},
                                                    {"boldsymbol", " "},
                                                    {"operatorname", " "},
                                                    {"displaystyle", " "},
                                                    {"boxed", " "},
                                                    {"fbox", " "},
                                                    {"mbox", " "},
                                                    {"hbox", " "},
                                                    {"rm", " "},
                                                    {"bf", " "},
                                                    {"it", " "},
                                                    {"qquad", " "},
                                                    {"leftarrow", "\u2190"},
                                                    {"rightarrow", "\u2192"},
                                                    {"Rightarrow", "\u2192"},
                                                    {"to", "\u2192"},
                                                    {"mp", "\u00b1"},
                                                    {"cong", "="},
                                                    {"cdots", "\u2026"},
                                                    {"ldots", "\u2026"},
                                                    {"dots", "\u2026"},
                                                    {"upmu", "\u00b5"},
                                                    {"textmu", "\u00b5"},
                                                    {"ohm", "\u03a9"},
                                                    {"textdegree", "\u00b0"},
                                                    {"celsius", "\u00b0C"},
                                                    {"AA", "\u00c5"},
                                                    {"percent", "%"}});
// Characters outside ASCII. Written as escapes because several of them look alike.
constexpr auto characters = std::to_array<Pair>(
    {{"\u2248", "="},      {"\u2243", "="},      {"\u2245", "="},  {"\u223c", "="},
     {"\u2212", "-"},      {"\u2013", "-"},      {"\u2010", "-"},  {"\u2011", "-"},
     {"\u22c5", "\u00b7"}, {"\u2219", "\u00b7"}, {"\u2215", "/"},  {"\u2218", "\u00b0"},
     {"\u02da", "\u00b0"}, {"\u00ba", "\u00b0"}, {"\u212a", "K"},  {"\u2126", "\u03a9"},
     {"\u212b", "\u00c5"}, {"\uff05", "%"},      {"\u201c", "\""}, {"\u201d", "\""},
     {"\u2018", "'"},      {"\u2019", "'"},      {"\u200b", ""},   {"\u2060", ""},
     {"\ufeff", ""}});
constexpr std::array<std::string_view, 5> hard_spaces = {"\u00a0", "\u2009", "\u202f", "\u2007",
                                                         "\u200a"};
constexpr auto fractions = std::to_array<Pair>({{"\u00bd", "1\u20442"},
                                                {"\u2153", "1\u20443"},
                                                {"\u2154", "2\u20443"},
                                                {"\u00bc", "1\u20444"},
                                                {"\u00be", "3\u20444"},
                                                {"\u2155", "1\u20445"},
                                                {"\u2156", "2\u20445"},
                                                {"\u2157", "3\u20445"},
                                                {"\u2158", "4\u20445"},
                                                {"\u2159", "1\u20446"},
                                                {"\u215a", "5\u20446"},
                                                {"\u215b", "1\u20448"},
                                                {"\u215c", "3\u20448"},
                                                {"\u215d", "5\u20448"},
                                                {"\u215e", "7\u20448"}});
constexpr std::array<std::string_view, 10> superscripts = {"⁰", "¹", "²", "³", "⁴",
                                                           "⁵", "⁶", "⁷", "⁸", "⁹"};

// Parses tokens and groups in braces and writes flat text. A group of a fraction, a root or an
// exponent gets round brackets where needed: opening a group writes a mark, which becomes a bracket
// or nothing when the group closes.
class Flattener {
 public:
  explicit Flattener(std::string_view s) : s_(s) { frames_.emplace_back(); }

  std::string run() {
    while (at_ < s_.size()) step();
    std::string out;
    for (const char c : out_)
      if (c != open_mark && c != no_mark) out += c;
    return text::squeeze(flatten_superscripts(out));
  }

 private:
  enum class Group { none, plain, numerator, denominator, root, exponent };
  struct Frame {
    Group kind = Group::plain;
    Group wanted = Group::none;  // pending argument of the preceding command
    std::size_t mark = 0;
    std::size_t digits = 0, letters = 0, others = 0;
    bool sum = false, slash = false;
  };
  static constexpr char open_mark = '\x01', no_mark = '\x02';

  std::string_view rest() const { return s_.substr(at_); }
  bool eat(std::string_view token) {
    if (!rest().starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  void step() {
    if (eat("{,}")) return add(",");
    if (eat("{")) {
      const bool power = last() == '^';
      const Group wanted = std::exchange(frames_.back().wanted, Group::none);
      return open(wanted != Group::none ? wanted : power ? Group::exponent : Group::plain);
    }
    if (eat("}")) return frames_.size() > 1 ? close() : void();
    const Group wanted = frames_.back().wanted;
    if (wanted == Group::none) return token();
    if (text::is_space(s_[at_])) return void(++at_);
    frames_.back().wanted = Group::none;  // "\frac12": an argument of one token
    open(wanted);
    token();
    close();
  }

  void token() {
    const char c = s_[at_];
    if (c == '\\') return command();
    if (static_cast<unsigned char>(c) >= 0x80) return character();
    for (const std::string_view degrees : {"^{\\circ}", "^\\circ", "^{o}"})
      if (eat(degrees)) return degree();
    if (rest().starts_with("^oC") || rest().starts_with("^oF")) return at_ += 2, degree();
    ++at_;
    if (c == '~') return separate();
    if (c == '$' || c == '`') return;
    add(static_cast<unsigned char>(c) < ' ' && !text::is_space(c) ? " " : std::string_view(&c, 1));
  }

  void character() {
    for (const auto space : hard_spaces)
      if (eat(space)) return separate();
    for (const auto& [from, to] : characters)
      if (eat(from)) return add(to);
    for (const auto& [from, to] : fractions)
      if (eat(from)) {
        if (is_digit(last())) add(" ");
        return add(to);
      }
    add(s_.substr(at_++, 1));
  }

  void command() {
    ++at_;  // the backslash
    std::size_t length = 0;
    constexpr std::size_t longest = 24;
    while (length < longest && at_ + length < s_.size() &&
           std::isalpha(static_cast<unsigned char>(s_[at_ + length])))
      ++length;
    if (length == 0) return escape();
    const std::string_view name = s_.substr(at_, length);
    if (name == "frac" || name == "dfrac" || name == "tfrac") {
      at_ += length;
      add(" ");
      frames_.back().wanted = Group::numerator;
      return;
    }
    if (name == "sqrt" && !s_.substr(at_ + length).starts_with('[')) {
      at_ += length;
      add("\u221a");
      frames_.back().wanted = Group::root;
      return;
    }
    for (const auto& [from, to] : word_commands)
      if (name == from) return at_ += length, replace(to);
    Pair best;
    for (const auto& entry : symbol_commands)
      if (name.starts_with(entry.first) && entry.first.size() > best.first.size()) best = entry;
    if (best.first.empty()) return add("\\");
    at_ += best.first.size();
    replace(best.second);
  }

  void replace(std::string_view to) { to == "\u00b0" ? degree() : add(to); }

  void escape() {
    if (at_ == s_.size()) return add("\\");
    const char c = s_[at_++];
    const auto one_of = [c](std::string_view set) { return set.find(c) != set.npos; };
    if (one_of(",;: ")) return separate();
    if (one_of("!()[]{}$")) return;
    if (one_of("%_#&")) return add(std::string_view(&c, 1));
    if (c == '\\') return add(" ");
    --at_;
    add("\\");
  }

  // A degree sign is not an exponent: "30^{\circ\text{C}}".
  void degree() {
    if (out_.ends_with('^')) out_.pop_back();
    Frame& f = frames_.back();
    if (f.kind == Group::exponent && out_.size() == f.mark + 1) {
      f.kind = Group::plain;
      out_[f.mark] = out_[f.mark - 1] = no_mark;
    }
    add("\u00b0");
  }

  // White space that may separate thousands.
  void separate() {
    const auto digit = [&](std::size_t i) { return at_ + i < s_.size() && is_digit(s_[at_ + i]); };
    const bool group = is_digit(last()) && digit(0) && digit(1) && digit(2) && !digit(3);
    out_ += group ? thin_space : " ";
  }

  char last() const { return out_.empty() ? ' ' : out_.back(); }

  void add(std::string_view text) {
    out_ += text;
    Frame& f = frames_.back();
    for (const char c : text) {
      const bool first = f.digits + f.letters + f.others == 0;
      if (is_digit(c) || c == '.' || c == ',') {
        ++f.digits;
      } else if (text::is_word(c)) {
        ++f.letters;
      } else if (c == '+' || c == '-') {
        f.sum = f.sum || !first;
      } else if (!text::is_space(c)) {
        ++f.others;
        f.slash = f.slash || c == '/';
      }
    }
  }

  void open(Group kind) {
    Frame& f = frames_.emplace_back();
    f.kind = kind;
    f.mark = out_.size();
    if (kind != Group::plain) out_ += open_mark;
  }

  static bool needs_brackets(const Frame& f) {
    switch (f.kind) {
      case Group::numerator:
        return f.sum || f.slash;
      case Group::denominator:
        return f.sum || f.others > 0 || (f.digits > 0 && f.letters > 0);
      case Group::root:
        return f.sum || f.others > 0 || f.letters > 0;
      case Group::exponent:
        return f.sum || f.others > 0 || f.letters > 1 || (f.digits > 0 && f.letters > 0);
      default:
        return false;
    }
  }

  void close() {
    const Frame f = frames_.back();
    frames_.pop_back();
    const bool brackets = needs_brackets(f);
    if (brackets) out_[f.mark] = '(', out_ += ')';
    Frame& outer = frames_.back();
    outer.digits += f.digits;
    outer.letters += f.letters;
    outer.others += f.others + brackets;
    outer.sum = outer.sum || (f.sum && !brackets);
    outer.slash = outer.slash || f.slash || f.kind == Group::numerator;
    if (f.kind != Group::numerator) return;
    out_ += fraction_slash;
    ++outer.others;
    outer.wanted = Group::denominator;
  }

  std::string_view s_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<Frame> frames_;
};

// Fast path: most texts of a training run are plain.
bool is_plain(std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c >= 0x80 || (c < ' ' && !text::is_space(s[i]))) return false;
    if (std::string_view("\\{}$`~").find(s[i]) != std::string_view::npos) return false;
    if (c == '^' && i + 1 < s.size() && s[i + 1] == 'o') return false;
  }
  return true;
}

}  // namespace

std::string flatten_superscripts(std::string_view text) {
  constexpr std::string_view minus = "⁻";
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    char plain = 0;
    std::size_t length = 1;
    if (static_cast<unsigned char>(rest[0]) >= 0x80) {
      if (rest.starts_with(minus)) plain = '-', length = minus.size();
      for (std::size_t d = 0; d < superscripts.size(); ++d)
        if (rest.starts_with(superscripts[d]))
          plain = static_cast<char>('0' + d), length = superscripts[d].size();
    }
    if (plain && !inside) out += '^';
    out += plain ? plain : rest[0];
    inside = plain != 0;
    i += length;
  }
  return out;
}

std::string flatten(std::string_view raw) {
  return is_plain(raw) ? text::squeeze(raw) : Flattener(raw).run();
}

std::string as_typed(std::string_view flat) {
  std::string out;
  for (std::size_t i = 0; i < flat.size();) {
    const auto rest = flat.substr(i);
    const bool slash = rest.starts_with(fraction_slash), space = rest.starts_with(thin_space);
    out += slash ? '/' : space ? ' ' : rest[0];
    i += slash ? fraction_slash.size() : space ? thin_space.size() : 1;
  }
  return out;
}

std::string plain(std::string_view raw) { return as_typed(flatten(raw)); }

}  // namespace gaze::phyx::plain_text
