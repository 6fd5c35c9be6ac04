// SPDX-License-Identifier: MIT
// Parsing, writing and corrupting responses.
#include "phyx/answer/response.hpp"

#include <cstddef>
#include <set>

#include "gaze/core/error.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/hash.hpp"

namespace gaze::phyx {

namespace {

int count(std::string_view s, std::string_view tag) {
  int n = 0;
  for (auto at = s.find(tag); at != s.npos; at = s.find(tag, at + tag.size())) ++n;
  return n;
}

// The trimmed content between two tags; empty unless both occur, in this order.
std::string_view between(std::string_view s, std::string_view open, std::string_view close) {
  const auto a = s.find(open), b = s.find(close);
  if (a == s.npos || b == s.npos || b < a) return {};
  return text::trim(s.substr(a + open.size(), b - a - open.size()));
}

// A stream of random words that depends on the key alone.
class Hash {
 public:
  explicit Hash(std::uint64_t key) : state_(key) {}
  std::uint64_t word() {
    const std::uint64_t before = state_;
    state_ += split_mix_step;
    return mix_bits(before);
  }
  double uniform() { return static_cast<double>(word() >> 11) * 0x1.0p-53; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(word() % n); }

 private:
  std::uint64_t state_;
};

}  // namespace

std::string_view only_answer(std::string_view s) {
  const bool one = count(s, grammar.answer_open) == 1 && count(s, grammar.answer_close) == 1;
  return one ? between(s, grammar.answer_open, grammar.answer_close) : std::string_view();
}

ParsedResponse parse_response(std::string_view s) {
  const auto& g = grammar;
  ParsedResponse out;
  out.thinks = count(s, g.think_open);
  out.answers = count(s, g.answer_open);
  const int think_ends = count(s, g.think_close), answer_ends = count(s, g.answer_close);
  out.has_tags = out.thinks + out.answers + think_ends + answer_ends > 0;
  if (out.answers == 1 && answer_ends == 1)
    out.answer_text = between(s, g.answer_open, g.answer_close);
  if (out.thinks != 1 || think_ends != 1 || out.answers != 1 || answer_ends != 1) return out;

  const std::string_view body = text::trim(s);
  if (!body.starts_with(g.think_open) || !body.ends_with(g.answer_close)) return out;
  const auto think_end = body.find(g.think_close), answer_start = body.find(g.answer_open);
  if (answer_start < think_end) return out;
  const auto gap_start = think_end + g.think_close.size();
  if (!text::trim(body.substr(gap_start, answer_start - gap_start)).empty()) return out;
  const auto think = between(body, g.think_open, g.think_close);
  if (think.empty() || out.answer_text.empty()) return out;
  out.well_formed = true;
  out.think = std::string(think);
  out.answer = out.answer_text;
  return out;
}

ThinkSections split_think(std::string_view think) {
  std::vector<std::string> clauses(1);
  for (const auto& word : text::split_words(think)) {
    if (word == grammar.stop || word == grammar.principle || word == grammar.so)
      clauses.emplace_back();
    if (word != grammar.stop) clauses.back() += (clauses.back().empty() ? "" : " ") + word;
  }
  ThinkSections out;
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    const std::string& clause = clauses[i];
    if (clause.empty()) continue;
    const auto space = clause.find(' ');
    const std::string head = clause.substr(0, space);
    const std::string rest = space == clause.npos ? "" : clause.substr(space + 1);
    if (head == grammar.principle)
      out.principles.push_back(rest);
    else if (head == grammar.so)
      out.conclusion = rest;
    else if (i == 0)
      out.look = clause;
    else
      out.steps.push_back(clause);
  }
  return out;
}

Lexicon Lexicon::from(std::span<const Problem> problems) {
  std::set<std::string> principles, units;
  std::map<std::string, std::set<std::string>> values;
  for (const auto& p : problems) {
    if (!p.solution.principle.empty()) principles.insert(p.solution.principle);
    if (!p.solution.unit.empty()) units.insert(p.solution.unit);
    if (!p.solution.value.empty()) values[p.template_id].insert(p.solution.value);
  }
  Lexicon out;
  out.principles.assign(principles.begin(), principles.end());
  out.units.assign(units.begin(), units.end());
  for (const auto& [name, set] : values) out.values[name].assign(set.begin(), set.end());
  return out;
}

Corruption draw_corruption(const CorruptionMix& mix, std::uint64_t key) {
  Hash hash(key ^ 0x636F727275707400u);
  if (hash.uniform() >= mix.share) return {};
  Corruption out;
  out.lazy = hash.uniform() < mix.lazy;
  out.format = hash.uniform() < mix.format;
  out.principle = hash.uniform() < mix.principle;
  out.unit = hash.uniform() < mix.unit;
  return out;
}

const std::string& option_text(const Problem& p, std::string_view letter) {
  const bool one = letter.size() == 1 && letter[0] >= 'A' && letter[0] <= 'D';
  GAZE_CHECK(one, "response", "problem ", p.index, ": the answer '", letter,
             "' is not a letter A to D");
  return p.options[static_cast<std::size_t>(letter[0] - 'A')];
}

namespace {

// The parts of a response.
struct Draft {
  std::string look, principle, steps, value, unit, letter;
  bool multiple_choice = false;
};

std::string join(const std::vector<std::string>& phrases) {
  std::string out;
  for (const auto& phrase : phrases) {
    const std::string words = text::squeeze(phrase);
    if (words.empty()) continue;
    if (!out.empty()) (out += ' ').append(grammar.comma) += ' ';
    out += words;
  }
  return out;
}

// Splits "12 N" into value and unit if the text ends with the solution's unit.
void set_claim(Draft& d, const std::string& claim, const std::string& unit) {
  const std::string words = text::squeeze(claim), tail = " " + text::squeeze(unit);
  const bool split = !unit.empty() && words.size() > tail.size() && words.ends_with(tail);
  d.value = split ? words.substr(0, words.size() - tail.size()) : words;
  d.unit = split ? tail.substr(1) : "";
}

Draft gold_draft(const Problem& p) {
  const Solution& s = p.solution;
  Draft d;
  d.look = join(s.look);
  d.principle = text::squeeze(s.principle);
  d.steps = join(s.steps);
  d.multiple_choice = p.form == Form::mc;
  if (d.multiple_choice) {
    d.letter = p.answer;
    set_claim(d, option_text(p, p.answer), s.unit);
  } else {
    const bool solved = !s.value.empty();
    d.value = text::squeeze(solved ? s.value : p.answer);
    d.unit = solved ? text::squeeze(s.unit) : "";
  }
  GAZE_CHECK(!d.value.empty(), "response", "problem ", p.index, " has no answer to write");
  return d;
}

std::string write_think(const Draft& d) {
  std::string out;
  const auto section = [&](std::string_view head, const std::string& body) {
    if (body.empty()) return;
    if (!out.empty()) (out += ' ').append(grammar.stop) += ' ';
    if (!head.empty()) out.append(head) += ' ';
    out += body;
  };
  section("", d.look);
  section(grammar.principle, d.principle);
  section("", d.steps);
  section(grammar.so, d.value + (d.unit.empty() ? "" : " " + d.unit));
  if (d.multiple_choice) ((out += ' ').append(grammar.letter) += ' ') += d.letter;
  return out;
}

std::string write_answer(const Draft& d) {
  if (d.multiple_choice) return d.letter;
  return d.value + (d.unit.empty() ? "" : " " + d.unit);
}

std::string wrap(std::string_view open, std::string_view body, std::string_view close) {
  std::string out(open);
  if (!out.empty()) out += ' ';
  out += body;
  if (!close.empty()) (out += ' ') += close;
  return out;
}

std::string write(const Draft& d) {
  const auto& g = grammar;
  return wrap(g.think_open, write_think(d), g.think_close) + " " +
         wrap(g.answer_open, write_answer(d), g.answer_close);
}

// The kinds of malformed response; none parses as well-formed.
std::string write_malformed(const Draft& d, std::size_t way) {
  const auto& g = grammar;
  const std::string think = write_think(d), answer = write_answer(d);
  const std::string thought = wrap(g.think_open, think, g.think_close);
  const std::string answered = wrap(g.answer_open, answer, g.answer_close);
  switch (way) {
    case 0:
      return answered;
    case 1:
      return wrap(g.think_open, think, "") + " " + answered;
    case 2:
      return wrap("", think, g.think_close) + " " + answered;
    case 3:
      return thought + " " + wrap(g.answer_open, answer, "");
    case 4:
      return thought + " " + answered + " " + answered;
    default:
      return answered + " " + thought;
  }
}
constexpr std::size_t malformed_ways = 6;

// A random entry other than `gold`; empty if there is none.
std::string other(const std::vector<std::string>& pool, const std::string& gold, Hash& hash) {
  std::vector<const std::string*> rest;
  for (const auto& entry : pool)
    if (entry != gold) rest.push_back(&entry);
  return rest.empty() ? std::string() : *rest[hash.below(rest.size())];
}

// Draws one of the template's answers, which may happen to be right.
void guess(Draft& d, const Problem& p, const Lexicon& lexicon, Hash& hash) {
  d.look.clear();
  d.steps.clear();
  if (d.multiple_choice) {
    std::vector<char> letters;
    for (std::size_t i = 0; i < p.options.size(); ++i)
      if (!p.options[i].empty()) letters.push_back(static_cast<char>('A' + i));
    d.letter = std::string(1, letters[hash.below(letters.size())]);
    set_claim(d, option_text(p, d.letter), p.solution.unit);
    return;
  }
  const auto it = lexicon.values.find(p.template_id);
  if (it != lexicon.values.end())
    d.value = text::squeeze(it->second[hash.below(it->second.size())]);
}

}  // namespace

std::string gold_response(const Problem& problem) { return write(gold_draft(problem)); }

std::string gold_look(const Problem& problem) {
  const std::string look = join(problem.solution.look);
  if (look.empty()) return "";
  return std::string(grammar.think_open) + " " + look + " " + std::string(grammar.stop);
}

std::string letter_response(const Problem& problem, char letter) {
  Draft d;
  d.multiple_choice = true;
  d.letter = std::string(1, letter);
  set_claim(d, option_text(problem, d.letter), problem.solution.unit);
  return write(d);
}

std::string caption_response(const Problem& problem) {
  const std::string caption = text::squeeze(problem.scene.caption);
  GAZE_CHECK(!caption.empty(), "caption_response", "problem ", problem.index, " has no caption");
  return caption;
}

std::string corrupted_response(const Problem& problem, const Lexicon& lexicon,
                               const CorruptionMix& mix, std::uint64_t key) {
  const Corruption defect = draw_corruption(mix, key);
  Hash hash(key ^ 0x7370000000000001u);
  Draft d = gold_draft(problem);
  if (defect.lazy) guess(d, problem, lexicon, hash);
  if (defect.principle) d.principle = other(lexicon.principles, d.principle, hash);
  if (defect.unit && !d.unit.empty())
    d.unit = hash.below(2) == 0 ? "" : other(lexicon.units, d.unit, hash);
  if (!defect.format) return write(d);
  return write_malformed(d, hash.below(malformed_ways));
}

}  // namespace gaze::phyx
