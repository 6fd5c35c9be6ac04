// SPDX-License-Identifier: MIT
// Words and white space of a text. ASCII only: every byte outside it counts as part of a word.
#pragma once
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/language.hpp"

namespace gaze::text {

/// White space of ASCII.
inline bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// Letter, digit, or part of a character outside ASCII.
inline bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
}

/// `s` without the characters of `blanks` at either end; by default all white space.
inline std::string_view trim(std::string_view s, std::string_view blanks = " \t\n\v\f\r") {
  const std::size_t first = s.find_first_not_of(blanks);
  if (first == s.npos) return s.substr(s.size());
  return s.substr(first, s.find_last_not_of(blanks) - first + 1);
}

/// The runs of characters between white space.
inline std::vector<std::string> split_words(std::string_view s) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < s.size();) {
    while (i < s.size() && is_space(s[i])) ++i;
    std::size_t end = i;
    while (end < s.size() && !is_space(s[end])) ++end;
    if (end > i) words.emplace_back(s.substr(i, end - i));
    i = end;
  }
  return words;
}

/// The words of a text with single spaces between them.
inline std::string squeeze(std::string_view s) {
  std::string out;
  for (const auto& word : split_words(s)) out += (out.empty() ? "" : " ") + word;
  return out;
}

/// The text with ASCII capitals in lower case.
inline std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Whether any character is_word.
inline bool has_word(std::string_view s) {
  for (char c : s)
    if (is_word(c)) return true;
  return false;
}

/// Index of the first occurrence of `phrase` as whole words at or after `start`; npos if none.
inline std::size_t find_phrase(std::string_view s, std::string_view phrase, std::size_t start = 0) {
  if (phrase.empty()) return std::string_view::npos;
  for (auto at = s.find(phrase, start); at != s.npos; at = s.find(phrase, at + 1)) {
    const auto end = at + phrase.size();
    if ((at == 0 || !is_word(s[at - 1])) && (end == s.size() || !is_word(s[end]))) return at;
  }
  return std::string_view::npos;
}

}  // namespace gaze::text
