// SPDX-License-Identifier: MIT
// Where a reply states its answer: in its answer element; else, without its thinking, in the last
// \boxed{}, behind the last "the answer is", or in the last line. Time is linear in the reply.
#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "phyx/answer/plain_text.hpp"
#include "phyx/answer/response.hpp"

namespace gaze::phyx {

namespace statement_detail {

/// A text without its think elements. A closing tag that nothing opened ends thinking that began
/// before the text did, provided that something follows it; thinking that never ends stays.
inline std::string without_thinking(std::string_view s) {
  const auto &open = grammar.think_open, &close = grammar.think_close;
  std::string_view body = strings::trim(s);
  while (body.ends_with(close)) body = strings::trim(body.substr(0, body.size() - close.size()));
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
    out += ' ';  // what stood apart stays apart
    from = at + close.size();
    opened = s.npos;
  }
  return out += s.substr(from);
}

inline bool has_answer_tag(std::string_view s) {
  return s.find(grammar.answer_open) != s.npos || s.find(grammar.answer_close) != s.npos;
}

}  // namespace statement_detail

/// A reply as it is judged.
struct Reply {
  bool tagged = false;  // `text` is the only answer element, empty when there are several
  std::string text;     // else the prose behind all thinking, empty when thinking never ends
};

inline Reply read_reply(std::string_view completion) {
  namespace detail = statement_detail;
  const std::string outside = detail::without_thinking(completion);
  if (detail::has_answer_tag(outside)) return {true, parse_response(outside).answer_text};
  const auto end = completion.rfind(grammar.think_close);
  const auto prose =
      end == completion.npos ? completion : completion.substr(end + grammar.think_close.size());
  if (prose.find(grammar.think_open) != prose.npos) return {};
  return {false, std::string(prose)};
}

/// What prose says as its answer. `before`: where that is merely the last line, the line above.
/// `after`: what follows it on its line.
struct Statement {
  std::string text, before, after;
};

namespace statement_detail {

// The content of the balanced braces that open at `at`; moves `at` behind them.
inline std::optional<std::string_view> braces(std::string_view s, std::size_t& at) {
  if (at >= s.size() || s[at] != '{') return std::nullopt;
  int depth = 0;
  for (std::size_t i = at; i < s.size(); ++i) {
    if (s[i] == '{') ++depth;
    if (s[i] != '}' || --depth > 0) continue;
    const auto inner = s.substr(at + 1, i - at - 1);
    at = i + 1;
    return strings::trim(inner);
  }
  return std::nullopt;
}

// The last box, if it is closed; an empty text when another one beside it on its line differs.
inline std::optional<std::string> boxed(std::string_view s) {
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
    const auto first = braces(head, at);  // nothing where the last box stands inside this one
    if (first && *first != *inner) return "";
  }
  return std::string(*inner);
}

// Behind "answer": "is", "should be", ":" or "=". The place behind it; npos when there is none.
inline std::size_t behind_verb(std::string_view low, std::size_t i) {
  while (i < low.size() && (low[i] == ' ' || low[i] == '*' || low[i] == '_')) ++i;
  if (i < low.size() && (low[i] == ':' || low[i] == '=')) return i + 1;
  for (const std::string_view verb : {"is", "should be", "would be", "must be", "will be"})
    if (low.substr(i).starts_with(verb)) {
      const auto end = i + verb.size();
      if (end == low.size() || strings::is_space(low[end]) || low[end] == ':' || low[end] == '*')
        return end;
    }
  return low.npos;
}

// The place of the last "answer is" and, in `content`, where what it states begins.
inline std::size_t last_announcement(std::string_view low, std::size_t& content) {
  constexpr std::string_view word = "answer";
  for (auto at = low.rfind(word); at != low.npos; at = at == 0 ? low.npos : low.rfind(word, at - 1))
    if (content = behind_verb(low, at + word.size()); content != low.npos) return at;
  return low.npos;
}

// The end of the sentence or line that begins at `from`; "approx. 6 N" goes on.
inline std::size_t sentence_end(std::string_view s, std::size_t from) {
  constexpr std::string_view shortened = "approx";
  const auto line = std::min(s.find('\n', from), s.size());
  for (auto at = s.find(". ", from); at < line; at = s.find(". ", at + 1))
    if (!strings::lower(
             s.substr(std::max(from, at - std::min(at, shortened.size())), shortened.size()))
             .starts_with(shortened))
      return at;
  return line;
}

inline std::string_view last_line(std::string_view s) {
  const auto line = s.rfind('\n');
  return s.substr(line == s.npos ? 0 : line + 1);
}

}  // namespace statement_detail

inline Statement find_statement(std::string_view s) {
  namespace detail = statement_detail;
  if (auto box = detail::boxed(s)) return {std::move(*box), "", ""};
  const std::string low = strings::lower(s);
  std::size_t content = 0;
  if (const auto at = detail::last_announcement(low, content); at != low.npos) {
    // The answer may stand below, behind blank lines and the marks of a formula.
    while (content < s.size() &&
           (strings::is_space(s[content]) ||
            std::string_view("*_:$#>").find(s[content]) != std::string_view::npos ||
            (s[content] == '\\' && s.substr(content + 1).starts_with('['))))
      content += s[content] == '\\' ? 2 : 1;
    const auto end = detail::sentence_end(s, content);
    const auto line = std::min(s.find('\n', end), s.size());
    return {std::string(strings::trim(s.substr(at, end - at))), "",
            std::string(s.substr(end, line - end))};
  }
  auto body = strings::trim(s);  // without last lines that say nothing: "\\]", "```"
  while (!body.empty() && !strings::is_word(body.back()) &&
         !strings::has_word(detail::last_line(body)))
    body = strings::trim(body.substr(0, body.size() - detail::last_line(body).size()));
  const auto line = detail::last_line(body);
  const auto above = strings::trim(body.substr(0, body.size() - line.size()));
  return {std::string(strings::trim(line)), std::string(strings::trim(detail::last_line(above))),
          ""};
}

}  // namespace gaze::phyx
