// SPDX-License-Identifier: MIT
// What tests ask of messages: the text of an error, and whether a text holds another.
#pragma once
#include <string>

#include "gaze/core/error.hpp"

namespace gaze::test {

/// The message of the Error that the call throws, or "" when it throws none.
template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace gaze::test
