// SPDX-License-Identifier: MIT
// Reading directions word by word, comparing them frame by frame.
#include "phyx/answer/direction.hpp"

#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "gaze/text/strings.hpp"

namespace gaze::phyx {

namespace {

struct Word {
  std::string_view text;
  Direction::Axis axis;
  int sign;
};
constexpr auto words = std::to_array<Word>({{"east", Direction::east, 1},
                                            {"west", Direction::east, -1},
                                            {"north", Direction::north, 1},
                                            {"south", Direction::north, -1},
                                            {"right", Direction::right, 1},
                                            {"left", Direction::right, -1},
                                            {"up", Direction::up, 1},
                                            {"down", Direction::up, -1},
                                            {"clockwise", Direction::clockwise, 1},
                                            {"cw", Direction::clockwise, 1},
                                            {"counterclockwise", Direction::clockwise, -1},
                                            {"anticlockwise", Direction::clockwise, -1},
                                            {"ccw", Direction::clockwise, -1},
                                            {"acw", Direction::clockwise, -1},
                                            {"\u21bb", Direction::clockwise, 1},
                                            {"\u21ba", Direction::clockwise, -1},
                                            {"\u2297", Direction::page, 1},
                                            {"\u2299", Direction::page, -1},
                                            {"in", Direction::inward, 1},  // "inward"
                                            {"out", Direction::inward, -1},
                                            {"for", Direction::forward, 1},
                                            {"back", Direction::forward, -1},
                                            {"above", Direction::above, 1},
                                            {"below", Direction::above, -1},
                                            {"behind", Direction::front, -1},
                                            {"attractive", Direction::attraction, 1},
                                            {"attraction", Direction::attraction, 1},
                                            {"repulsive", Direction::attraction, -1},
                                            {"repulsion", Direction::attraction, -1}});

// The lower-case words of a text; "north-east" is two words, "+x" one.
std::vector<std::string> tokens(std::string_view text) {
  const std::string s = text::lower(text);
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    const bool axis = i + 1 < s.size() && s[i + 1] >= 'x' && s[i + 1] <= 'z' &&
                      (i + 2 == s.size() || !text::is_word(s[i + 2]));
    const bool sign = (c == '+' || c == '-') && axis && out.back().empty();
    if (text::is_word(c) || sign)
      out.back() += c;
    else if (!out.back().empty())
      out.emplace_back();
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

// Reads the tokens in order.
class Reader {
 public:
  explicit Reader(std::string_view text) : words_(tokens(text)) {
    constexpr std::string_view marks = " \t\n.,;:!()[]\"'*_";
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const bool sign = (c == '-' || c == '+') && i + 1 < text.size() && text::is_word(text[i + 1]);
      if (!text::is_word(c) && !sign && marks.find(c) == marks.npos) out_.pure = false;
    }
    for (std::size_t i = 0; i < words_.size();) i += take(i);
  }
  const Direction& direction() const { return out_; }

 private:
  std::string_view at(std::size_t i) const {
    return i < words_.size() ? std::string_view(words_[i]) : std::string_view();
  }
  bool one_of(std::string_view word, std::initializer_list<std::string_view> list) const {
    for (const auto w : list)
      if (word == w) return true;
    return false;
  }
  std::size_t set(Direction::Axis axis, int sign, std::size_t used) {
    if (std::exchange(turned_, false)) sign = -sign;
    int& there = out_.signs[axis];
    if (there == -sign) out_.clash = true;
    if (there != 0) out_.pure = false;  // "down down" is not pure
    there = there == 0 ? sign : there;
    return used;
  }

  // Number of words consumed at `i`; 1 if they are no direction.
  std::size_t take(std::size_t i) {
    const auto word = at(i);
    if (const auto n = take_phrase(i)) return n;
    if (const auto n = take_axis(i)) return n;
    if (take_word(word)) return 1;
    if (word == "of" && i > 0 && on_compass(at(i - 1)) && on_compass(at(i + 1)))
      return set(Direction::order, at(i - 1).ends_with("th") ? 1 : -1, 1);
    if (!one_of(word, {"the", "to", "in", "direction", "directed", "due", "pointing", "points",
                       "is", "axis", "vertically", "horizontally", "radially"}))
      out_.pure = false;
    return 1;
  }

  bool on_compass(std::string_view word) const {
    return one_of(word, {"north", "south", "east", "west"});
  }

  // "into the page", "towards the centre", "counter clockwise", "in front".
  std::size_t take_phrase(std::size_t i) {
    const auto word = at(i);
    if (one_of(word, {"counter", "anti", "contra"}) && at(i + 1) == "clockwise")
      return set(Direction::clockwise, -1, 2);
    const bool out = word == "out" && at(i + 1) == "of";
    if (out || one_of(word, {"into", "inward", "inwards", "outward", "outwards"}))
      for (std::size_t k = i + 1; k < i + 5; ++k)
        if (one_of(at(k), {"page", "paper", "plane", "screen", "board"}))
          return set(Direction::page, word.starts_with("in") ? 1 : -1, k + 1 - i);
    if (word == "in" && at(i + 1) == "front") return set(Direction::front, 1, 2);
    const bool from = word == "away" && at(i + 1) == "from";
    if (!from && !one_of(word, {"toward", "towards"})) return 0;
    const std::size_t used = from ? 2 : 1, the = at(i + used) == "the";
    const int sign = from ? -1 : 1;
    if (one_of(at(i + used + the), {"center", "centre"}))
      return set(Direction::inward, sign, used + the + 1);
    // "towards the east" is east; "away from the east" is west.
    const Direction before = out_;
    const std::size_t next = i + used + the;
    const bool named = next < words_.size() &&
                       (take_phrase(next) > 0 || take_axis(next) > 0 || take_word(at(next)));
    if (named) {
      out_ = before;
      turned_ = from;
      return used + the;
    }
    out_.pure = false;
    return set(Direction::towards, sign, used);
  }

  // "+x", "negative x", "x-direction".
  std::size_t take_axis(std::size_t i) {
    std::string_view word = at(i);
    std::size_t used = 1;
    int sign = 1;
    const bool named = one_of(word, {"positive", "negative", "plus", "minus"});
    if (named) {
      sign = one_of(word, {"negative", "minus"}) ? -1 : 1;
      word = at(i + used++);
    }
    const bool marked = word.size() == 2 && (word[0] == '+' || word[0] == '-');
    if (marked) {
      sign *= word[0] == '-' ? -1 : 1;
      word.remove_prefix(1);
    }
    if (word.size() != 1 || word[0] < 'x' || word[0] > 'z') return 0;
    if (!named && !marked && !one_of(at(i + 1), {"axis", "direction"})) return 0;
    return set(static_cast<Direction::Axis>(Direction::x + (word[0] - 'x')), sign, used);
  }

  // "east", "eastwards", "easterly", "northeast".
  bool take_word(std::string_view word) {
    std::string_view stem = word;
    bool turned = false;
    for (const std::string_view ending : {"s", "ward", "erly", "ern"})
      if (stem.size() > ending.size() + 1 && stem.ends_with(ending)) {
        stem.remove_suffix(ending.size());
        turned = turned || ending == "ward";
      }
    for (const auto& w : words) {
      const bool needs_ending = one_of(w.text, {"in", "out", "for"});
      if (word == w.text ? !needs_ending : stem == w.text && (turned || !needs_ending)) {
        set(w.axis, w.sign, 1);
        return true;
      }
    }
    if (words_.size() == 1 && one_of(word, {"n", "e", "s", "w"}))  // "[E]" after a unit
      return set(word == "n" || word == "s" ? Direction::north : Direction::east,
                 word == "n" || word == "e" ? 1 : -1, 1) > 0;
    if (one_of(word, {"ne", "nw", "se", "sw"}))
      return take_second(word[0] == 'n' ? "north" : "south", word[1] == 'e' ? "east" : "west");
    for (const std::string_view first : {"north", "south"})
      if (stem.starts_with(first) && stem.size() > first.size())
        return take_second(first, stem.substr(first.size()));
    return false;
  }
  bool take_second(std::string_view first, std::string_view second) {
    if (second != "east" && second != "west") return false;
    set(Direction::north, first == "north" ? 1 : -1, 1);
    set(Direction::east, second == "east" ? 1 : -1, 1);
    return true;
  }

  std::vector<std::string> words_;
  Direction out_;
  bool turned_ = false;  // "away from": reverse the next direction
};

}  // namespace

Direction direction_of(std::string_view text) {
  constexpr std::size_t longest = 512;
  if (text.size() > longest) return {};
  return Reader(text).direction();
}

DirectionMatch compare(const Direction& truth, const Direction& answer) {
  if (answer.clash && !truth.clash) return DirectionMatch::different;
  // First axis of each frame: compass, picture, x y z, then single axes.
  constexpr std::array<int, 13> frames = {0, 2, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  bool missing = false, same = false, opposite = false, different = false;
  for (std::size_t f = 0; f + 1 < frames.size(); ++f) {
    bool any = false, said = false, equal = true, turned = true;
    for (int k = frames[f]; k < frames[f + 1]; ++k) {
      const int a = truth.signs[static_cast<std::size_t>(k)];
      const int b = answer.signs[static_cast<std::size_t>(k)];
      any = any || a != 0;
      said = said || b != 0;
      equal = equal && a == b;
      turned = turned && a == -b;
    }
    if (!any) continue;
    if (!said)
      missing = true;
    else
      (equal ? same : turned ? opposite : different) = true;
  }
  if (different || (opposite && same)) return DirectionMatch::different;
  if (opposite) return DirectionMatch::opposite;
  return missing ? DirectionMatch::missing : DirectionMatch::same;
}

}  // namespace gaze::phyx
