// SPDX-License-Identifier: MIT
// Words and white space in a text.
#include "phyx/answer/strings.hpp"

namespace gaze::phyx::strings {

std::string_view trim(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

std::vector<std::string> split_words(std::string_view s) {
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

std::string squeeze(std::string_view s) {
  std::string out;
  for (const auto& word : split_words(s)) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool has_word(std::string_view s) {
  for (char c : s)
    if (is_word(c)) return true;
  return false;
}

std::size_t find_phrase(std::string_view s, std::string_view phrase, std::size_t start) {
  if (phrase.empty()) return std::string_view::npos;
  for (auto at = s.find(phrase, start); at != s.npos; at = s.find(phrase, at + 1)) {
    const auto end = at + phrase.size();
    if ((at == 0 || !is_word(s[at - 1])) && (end == s.size() || !is_word(s[end]))) return at;
  }
  return std::string_view::npos;
}

}  // namespace gaze::phyx::strings
