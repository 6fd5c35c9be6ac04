// SPDX-License-Identifier: MIT
// Stop strings: ends a text, which comes in pieces, before the first of them.
//
//   StopStrings stops({"\n\n"});
//   stops.push("yes\n");   // "yes": the line break may begin the stop string
//   stops.push("\nno");    // "", and stops.found()
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gaze::phyx::serve {

/// What push and finish return joins to the text before the stop string that is complete first (of
/// several, the longest), however the text is divided into pieces.
class StopStrings {
 public:
  /// None of them is empty.
  explicit StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Adds to the text; returns what is certain to be before any stop string.
  std::string push(std::string_view piece);
  /// Ends the text; returns the rest of it.
  std::string finish();

  bool found() const { return found_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;  // the longest end of the text with which a stop string may begin
  bool found_ = false;
};

}  // namespace gaze::phyx::serve
