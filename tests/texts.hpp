// SPDX-License-Identifier: MIT
// Helpers for texts: the message of an error, and searches in strings.
#pragma once
#include <set>
#include <string>

#include "gaze/core/error.hpp"

namespace gaze::test {

/// The message of the Error that the call throws, or "" when it throws none.
template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

/// What is in one set of names alone, and where it is missing: a line for each, "" for equal sets.
inline std::string difference(const std::string& first, const std::set<std::string>& a,
                              const std::string& second, const std::set<std::string>& b) {
  std::string out;
  for (const std::string& name : a)
    if (b.count(name) == 0) out += name + " is in " + first + ", not in " + second + "\n";
  for (const std::string& name : b)
    if (a.count(name) == 0) out += name + " is in " + second + ", not in " + first + "\n";
  return out;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// How often `part` occurs in the text, overlaps included.
inline std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

inline std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace gaze::test
