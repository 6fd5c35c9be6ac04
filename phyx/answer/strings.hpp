// SPDX-License-Identifier: MIT
// Words and white space in a text: ASCII's, where every byte outside it counts as a letter.
#pragma once
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gaze::phyx::strings {

inline bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// Letter, digit, or part of a character outside ASCII.
inline bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
}

/// Without the white space at its ends.
std::string_view trim(std::string_view s);

/// The runs of characters between white space.
std::vector<std::string> split_words(std::string_view s);

/// The words of a text with single spaces between them.
std::string squeeze(std::string_view s);

/// The text with small letters for ASCII's capitals.
std::string lower(std::string_view s);

/// Whether any character is_word.
bool has_word(std::string_view s);

/// The first place from `start` on where `phrase` stands as whole words; npos when nowhere.
std::size_t find_phrase(std::string_view s, std::string_view phrase, std::size_t start = 0);

}  // namespace gaze::phyx::strings
