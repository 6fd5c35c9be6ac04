// SPDX-License-Identifier: MIT
// Searching thinking, boxes, "the answer is" and last lines.
#include "phyx/answer/statement.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"

namespace gaze::phyx {

namespace {

// Removes think elements. A closing tag without an opening one ends thinking that began before the
// text, if anything follows it; thinking that never ends is kept.
std::string without_thinking(std::string_view s) {
  const auto &open = grammar.think_open, &close = grammar.think_close;
  std::string_view body = text::trim(s);
  while (body.ends_with(close)) body = text::trim(body.substr(0, body.size() - close.size()));
  const auto end = static_cast<std::size_t>(body.data() + body.size() - s.data());
  std::string out;
  std::size_t from = 0, opened = s.npos;
  for (auto at = s.find('<'); at != s.npos; at = s.find('<', at + 1)) {
    const auto rest = s.substr(at);
    if (rest.starts_with(open) && opened == s.npos) opened = at;
    if (!rest.starts_with(close)) continue;
    if (opened != s.npos)
      out += s.substr(from, opened - from);
    else if (at < end)
      out.clear();
    else
      out += s.substr(from, at - from);
    out += ' ';  // keep the parts separate
    from = at + close.size();
    opened = s.npos;
  }
  return out += s.substr(from);
}

bool has_answer_tag(std::string_view s) {
  return s.find(grammar.answer_open) != s.npos || s.find(grammar.answer_close) != s.npos;
}

// The content of the balanced braces that open at `at`; moves `at` past them.
std::optional<std::string_view> braces(std::string_view s, std::size_t& at) {
  if (at >= s.size() || s[at] != '{') return std::nullopt;
  int depth = 0;
  for (std::size_t i = at; i < s.size(); ++i) {
    if (s[i] == '{') ++depth;
    if (s[i] != '}' || --depth > 0) continue;
    const auto inner = s.substr(at + 1, i - at - 1);
    at = i + 1;
    return text::trim(inner);
  }
  return std::nullopt;
}

// The last box, if closed; an empty text if another box on its line differs.
std::optional<std::string> boxed(std::string_view s) {
  constexpr std::string_view command = "\\boxed";
  const auto last = s.rfind("\\boxed{");
  if (last == s.npos) return std::nullopt;
  std::size_t end = last + command.size();
  const auto inner = braces(s, end);
  if (!inner) return std::nullopt;
  const auto line = s.rfind('\n', last);
  const auto head = s.substr(line == s.npos ? 0 : line + 1, last - (line == s.npos ? 0 : line + 1));
  if (const auto other = head.rfind("\\boxed{"); other != head.npos) {
    std::size_t at = other + command.size();
    const auto first = braces(head, at);  // empty if the last box is inside this one
    if (first && *first != *inner) return "";
  }
  return std::string(*inner);
}

// Skips "is", "should be", ":" or "=" after "answer". The index after it; npos if there is none.
std::size_t behind_verb(std::string_view low, std::size_t i) {
  while (i < low.size() && (low[i] == ' ' || low[i] == '*' || low[i] == '_')) ++i;
  if (i < low.size() && (low[i] == ':' || low[i] == '=')) return i + 1;
  for (const std::string_view verb : {"is", "should be", "would be", "must be", "will be"})
    if (low.substr(i).starts_with(verb)) {
      const auto end = i + verb.size();
      if (end == low.size() || text::is_space(low[end]) || low[end] == ':' || low[end] == '*')
        return end;
    }
  return low.npos;
}

// The index of the last "answer is", and in `content` the start of its statement.
std::size_t last_announcement(std::string_view low, std::size_t& content) {
  constexpr std::string_view word = "answer";
  for (auto at = low.rfind(word); at != low.npos; at = at == 0 ? low.npos : low.rfind(word, at - 1))
    if (content = behind_verb(low, at + word.size()); content != low.npos) return at;
  return low.npos;
}

// The end of the sentence or line from `from`; the stop of "approx. 6 N" does not end it.
std::size_t sentence_end(std::string_view s, std::size_t from) {
  constexpr std::string_view shortened = "approx";
  const auto line = std::min(s.find('\n', from), s.size());
  for (auto at = s.find(". ", from); at < line; at = s.find(". ", at + 1))
    if (!text::lower(
             s.substr(std::max(from, at - std::min(at, shortened.size())), shortened.size()))
             .starts_with(shortened))
      return at;
  return line;
}

std::string_view last_line(std::string_view s) {
  const auto line = s.rfind('\n');
  return s.substr(line == s.npos ? 0 : line + 1);
}

}  // namespace

Reply read_reply(std::string_view completion) {
  const std::string outside = without_thinking(completion);
  if (has_answer_tag(outside)) return {true, std::string(only_answer(outside))};
  const auto end = completion.rfind(grammar.think_close);
  const auto prose =
      end == completion.npos ? completion : completion.substr(end + grammar.think_close.size());
  if (prose.find(grammar.think_open) != prose.npos) return {};
  return {false, std::string(prose)};
}

Statement find_statement(std::string_view s) {
  if (auto box = boxed(s)) return {std::move(*box), "", ""};
  const std::string low = text::lower(s);
  std::size_t content = 0;
  if (const auto at = last_announcement(low, content); at != low.npos) {
    // The answer may follow below blank lines and formula delimiters.
    while (content < s.size() &&
           (text::is_space(s[content]) ||
            std::string_view("*_:$#>").find(s[content]) != std::string_view::npos ||
            (s[content] == '\\' && s.substr(content + 1).starts_with('['))))
      content += s[content] == '\\' ? 2 : 1;
    const auto end = sentence_end(s, content);
    const auto line = std::min(s.find('\n', end), s.size());
    return {std::string(text::trim(s.substr(at, end - at))), "",
            std::string(s.substr(end, line - end))};
  }
  auto body = text::trim(s);  // without trailing lines that have no word: "\\]", "```"
  while (!body.empty() && !text::is_word(body.back()) && !text::has_word(last_line(body)))
    body = text::trim(body.substr(0, body.size() - last_line(body).size()));
  const auto line = last_line(body);
  const auto above = text::trim(body.substr(0, body.size() - line.size()));
  return {std::string(text::trim(line)), std::string(text::trim(last_line(above))), ""};
}

}  // namespace gaze::phyx
