// SPDX-License-Identifier: MIT
// Rules M1 to M7 and O1 to O6.
#include "phyx/scoring/official_rules.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "phyx/scoring/python_literal.hpp"
#include "phyx/scoring/python_text.hpp"

namespace gaze::phyx {

namespace {

using namespace python;

constexpr std::u32string_view failed_call = U"Failed to obtain answer via API.";

/// O1's repair: puts double quotes around each bare key between `{` or `,` and `:`. A key in single
/// quotes also counts as bare, so its quotes become part of it.
std::u32string quote_bare_keys(std::u32string_view text) {
  const auto is_bare = [](char32_t c) {
    return std::u32string_view(U"\"{}:,").find(c) == std::u32string_view::npos && !is_space(c);
  };
  std::u32string quoted;
  std::size_t at = 0;
  while (at < text.size()) {
    quoted += text[at++];
    if (quoted.back() != '{' && quoted.back() != ',') continue;
    std::size_t first = at;
    while (first < text.size() && is_space(text[first])) ++first;
    std::size_t last = first;
    while (last < text.size() && is_bare(text[last])) ++last;
    std::size_t colon = last;
    while (colon < text.size() && is_space(text[colon])) ++colon;
    if (first == last || colon == text.size() || text[colon] != ':') continue;
    (quoted += text.substr(at, first - at)) += '"';
    (quoted += text.substr(first, last - first)) += '"';
    at = last;
  }
  return quoted;
}

/// Whether [at, end) is not adjacent to word characters.
bool stands_alone(std::u32string_view text, std::size_t at, std::size_t end) noexcept {
  return (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
}

/// M3 and M4: the letter that a multiple-choice reply names, or 0.
char32_t mc_letter(std::u32string_view reply) {
  static constexpr std::u32string_view keywords[] = {U"correct", U"answer", U"option",
                                                     U"Correct", U"Answer", U"Option"};
  static constexpr std::u32string_view letters = U"ABCD";
  const std::size_t last_letter = reply.find_last_of(letters);
  for (std::size_t at = 0; last_letter != reply.npos && at < last_letter; ++at)
    for (const std::u32string_view word : keywords)
      if (reply.substr(at, word.size()) == word && stands_alone(reply, at, at + word.size()))
        return reply[reply.find_first_of(letters, at + word.size())];
  for (std::size_t at = reply.size(); at-- > 1;)
    if (reply[at] == ':' && letters.find(reply[at - 1]) != letters.npos) return reply[at - 1];
  return 0;
}

/// O3: the content of the first \boxed{…}; empty if its brace never closes.
std::optional<std::u32string> boxed(std::u32string_view reply) {
  static constexpr std::u32string_view opening = U"\\boxed{";
  const std::size_t found = reply.find(opening);
  if (found == reply.npos) return std::nullopt;
  const std::size_t start = found + opening.size();
  int depth = 1;
  for (std::size_t at = start; at < reply.size(); ++at) {
    if (reply[at] == '{') ++depth;
    if (reply[at] == '}' && --depth == 0) return std::u32string(reply.substr(start, at - start));
  }
  return std::nullopt;
}

/// The end of `word` (lower case) at `at`, ignoring case like Python's re; npos if it is not there.
std::size_t match_ignoring_case(std::u32string_view text, std::size_t at,
                                std::u32string_view word) noexcept {
  if (at + word.size() > text.size()) return text.npos;
  for (std::size_t i = 0; i < word.size(); ++i) {
    char32_t c = text[at + i];
    if (c == 0x130 || c == 0x131) c = 'i';  // dotted capital and dotless small i
    if (c == 0x17F) c = 's';                // long s
    if (lower_point(c) != word[i]) return text.npos;
  }
  return at + word.size();
}

/// O4: the text after "final answer … :" up to three consecutive line ends.
std::optional<std::u32string> after_final_answer(std::u32string_view reply) {
  for (std::size_t at = 0; at < reply.size(); ++at) {
    if (at > 0 && is_word(reply[at - 1])) continue;
    std::size_t end = match_ignoring_case(reply, at, U"final");
    if (end == reply.npos) end = match_ignoring_case(reply, at, U"correct");
    if (end == reply.npos || end == reply.size() || !is_space(reply[end])) continue;
    while (end < reply.size() && is_space(reply[end])) ++end;
    end = match_ignoring_case(reply, end, U"answer");
    if (end == reply.npos || (end < reply.size() && is_word(reply[end]))) continue;
    const std::size_t colon = reply.find_first_of(U":\uFF1A", end);
    if (colon == reply.npos) return std::nullopt;  // no later match can have one
    std::size_t start = colon + 1;
    while (start < reply.size() && is_space(reply[start])) ++start;
    const std::size_t stop = std::min(reply.find(U"\n\n\n", start), reply.size());
    return std::u32string(reply.substr(start, stop - start));
  }
  return std::nullopt;
}

/// str.replace, in one pass.
std::u32string replaced(std::u32string_view text, std::u32string_view from,
                        std::u32string_view to) {
  std::u32string out;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(from, at)) != text.npos; at = found + from.size())
    (out += text.substr(at, found - at)) += to;
  return out += text.substr(at);
}

/// O4 and O6 of May 2025: the captured text unchanged, or the truth anywhere in the reply.
OfficialScore score_may_2025_oe(std::string_view answer, std::string_view prediction) {
  const std::u32string truth = to_points(answer), all = to_points(prediction);
  const std::u32string_view reply = strip(all);
  const auto found = after_final_answer(reply);
  const bool equal = found && lower(strip(truth)) == lower(strip(*found));
  return {found ? to_utf8(*found) : nothing_extracted, equal || contains(reply, truth)};
}

}  // namespace

std::u32string oe_reply(std::u32string_view prediction) {
  const std::u32string reply(strip(prediction));
  auto literal = Literal::parse(reply);
  if (!literal) {
    std::u32string repaired = reply;
    if (!repaired.starts_with(U'{')) repaired.insert(0, 1, U'{');
    if (!repaired.ends_with(U'}')) repaired += U'}';
    literal = Literal::parse(quote_bare_keys(repaired));
  }
  const bool usable = literal && literal->kind == Literal::Kind::dict && literal->content &&
                      !literal->content->empty();
  return usable ? std::u32string(strip(*literal->content)) : reply;
}

OfficialScore score_official_mc(std::string_view answer, std::string_view prediction,
                                OfficialRules rules) {
  const std::u32string truth = to_points(answer), all = to_points(prediction);
  const std::u32string_view reply = strip(all);
  if (rules == OfficialRules::latest && reply == failed_call) return {call_failed, false};
  const char32_t letter = mc_letter(reply);
  const auto holds = [&](const std::u32string& part) { return contains(reply, part); };
  OfficialScore score{nothing_extracted, false};
  if (letter != 0) {
    score.extracted = static_cast<char>(letter);
    score.match = lower(strip(truth)) == std::u32string(1, lower_point(letter));
  }
  score.match = score.match || holds(truth + U":") || holds(truth + U"**") || holds(U"**" + truth);
  return score;
}

OfficialScore score_official_oe(std::string_view answer, std::string_view prediction,
                                OfficialRules rules) {
  if (rules == OfficialRules::may_2025) return score_may_2025_oe(answer, prediction);
  const std::u32string truth = to_points(answer), reply = oe_reply(to_points(prediction));
  if (reply == failed_call) return {call_failed, false};
  std::optional<std::u32string> found = boxed(reply);
  if (!found) found = after_final_answer(reply);
  if (found) found = replaced(replaced(*found, U"\\dfrac", U"\\frac"), U"\\pi", U"3.14");
  const std::string extracted = found ? to_utf8(*found) : nothing_extracted;
  const std::u32string wanted = lower(strip(truth));
  const bool match = wanted == lower(strip(to_points(extracted))) || wanted == lower(reply) ||
                     contains(reply, truth);
  return {extracted, match};
}

OfficialScore score_official(Form form, std::string_view answer, std::string_view prediction,
                             OfficialRules rules) {
  return form == Form::mc ? score_official_mc(answer, prediction, rules)
                          : score_official_oe(answer, prediction, rules);
}

}  // namespace gaze::phyx
