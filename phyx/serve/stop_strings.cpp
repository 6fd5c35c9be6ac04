// SPDX-License-Identifier: MIT
// Searching for stop strings, and holding back their beginnings.
#include "phyx/serve/stop_strings.hpp"

#include <algorithm>

namespace gaze::phyx::serve {

namespace {

/// Length of the longest end of `text` that begins `stop` but is not all of it.
std::size_t begun(std::string_view text, std::string_view stop) {
  std::size_t length = std::min(text.size(), stop.size() - 1);
  while (text.substr(text.size() - length) != stop.substr(0, length)) --length;
  return length;
}

}  // namespace

std::string StopStrings::push(std::string_view piece) {
  if (found_) return "";
  held_ += piece;
  std::size_t start = 0, end = held_.npos;
  for (const std::string& stop : stops_) {
    const std::size_t at = held_.find(stop);
    if (at == held_.npos || at + stop.size() > end) continue;
    if (at + stop.size() == end && at > start) continue;
    start = at;
    end = at + stop.size();
  }
  found_ = end != held_.npos;
  if (!found_) {
    std::size_t keep = 0;
    for (const std::string& stop : stops_) keep = std::max(keep, begun(held_, stop));
    start = held_.size() - keep;
  }
  std::string certain = held_.substr(0, start);
  held_.erase(0, found_ ? held_.size() : start);
  return certain;
}

std::string StopStrings::finish() { return std::exchange(held_, {}); }

}  // namespace gaze::phyx::serve
