// SPDX-License-Identifier: MIT
// Splits a text into the words within which byte pairs are merged: the pre-tokenizers `Digits` and
// `ByteLevel` of the Hugging Face format. The rule of ByteLevel is the regular expression of GPT-2,
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// here written by hand, alternative by alternative. Its words join to the whole text.
#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "gaze/text/char_class.hpp"

namespace gaze::text {

/// The step before ByteLevel: none, one that makes each number character a section of its own, or
/// one that does so with each run of them.
enum class DigitSplit { none, each, runs };

/// The settings of a file's pre-tokenizer.
struct PreTokenizer {
  DigitSplit digits = DigitSplit::none;
  bool add_prefix_space = false;  ///< a section that does not begin with a space gets one
  bool use_regex = true;          ///< false: a section is one word
};

namespace detail {

/// The character sets of the regular expression.
enum class Gpt2Set { letter, number, space, other };

constexpr Gpt2Set gpt2_set(CharClass c) {
  if (c == CharClass::letter) return Gpt2Set::letter;
  if (c == CharClass::space) return Gpt2Set::space;
  return is_number(c) ? Gpt2Set::number : Gpt2Set::other;
}

/// End of the run of characters of `set` that starts at `at`; `at` itself if there is none.
inline std::size_t run_end(std::string_view text, std::size_t at, Gpt2Set set) {
  while (at < text.size()) {
    const ClassedChar c = classed_char(text, at);
    if (gpt2_set(c.kind) != set) break;
    at += c.length;
  }
  return at;
}

/// Length of the contraction ("'ll") at `at`, or 0.
inline std::size_t contraction(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 7> endings = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
  if (text[at] != '\'') return 0;
  for (const std::string_view ending : endings)
    if (text.substr(at, ending.size()) == ending) return ending.size();
  return 0;
}

/// End of the section between digits that starts at `at`.
inline std::size_t section_end(std::string_view text, std::size_t at, DigitSplit digits) {
  if (digits == DigitSplit::none) return text.size();
  ClassedChar c = classed_char(text, at);
  const bool number = is_number(c.kind);
  at += c.length;
  if (number && digits == DigitSplit::each) return at;
  for (; at < text.size(); at += c.length) {
    c = classed_char(text, at);
    if (is_number(c.kind) != number) break;
  }
  return at;
}

}  // namespace detail

/// End of the word of the GPT-2 rule that starts at `at` < text.size().
inline std::size_t gpt2_word_end(std::string_view text, std::size_t at) {
  using detail::Gpt2Set;
  if (const std::size_t length = detail::contraction(text, at)) return at + length;
  const std::size_t start = at + (text[at] == ' ' ? 1 : 0);
  if (start < text.size()) {
    const Gpt2Set set = detail::gpt2_set(classed_char(text, start).kind);
    if (set != Gpt2Set::space) return detail::run_end(text, start, set);
  }
  // White space. Of a run before something else, the last character is left to the next word.
  const std::size_t end = detail::run_end(text, at, Gpt2Set::space);
  if (end == text.size()) return end;
  const std::size_t last = end - classed_char_before(text, end).length;
  return last > at ? last : end;
}

/// Calls on_word(std::string_view) for each word of `text`, in order. A word with an added space is
/// valid only during the call.
template <class OnWord>
void each_word(std::string_view text, const PreTokenizer& rule, OnWord&& on_word) {
  std::string prefixed;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = detail::section_end(text, begin, rule.digits);
    std::string_view section = text.substr(begin, end - begin);
    begin = end;
    if (rule.add_prefix_space && section.front() != ' ')
      section = prefixed.assign(1, ' ').append(section);
    for (std::size_t at = 0; at < section.size();) {
      const std::size_t word_end = rule.use_regex ? gpt2_word_end(section, at) : section.size();
      on_word(section.substr(at, word_end - at));
      at = word_end;
    }
  }
}

}  // namespace gaze::text
