// SPDX-License-Identifier: MIT
// Splitting a program's output into lines, and parsing them.
#include "phyx/rewards/answer_lines.hpp"

#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"

namespace gaze::phyx {

namespace {

constexpr const char* reading = "reward_program";

std::string_view without_blanks(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r");
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r") + 1 - first);
}

}  // namespace

AnswerLines::AnswerLines(std::string program, std::size_t before, std::size_t count)
    : program_(std::move(program)), before_(before), count_(count) {}

void AnswerLines::add(std::string_view output) {
  rest_ += output;
  std::string_view rest = rest_;
  for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
    check_expected(rest.substr(0, end));
    answers_.push_back(parse(rest.substr(0, end)));
  }
  if (!rest.empty()) check_expected(rest);
  GAZE_CHECK(rest.size() <= longest_line, reading, where(), ": '", printable(rest, kShownBytes),
             "' is longer than ", longest_line, " bytes");
  rest_.erase(0, rest_.size() - rest.size());
}

void AnswerLines::check_expected(std::string_view line) const {
  GAZE_CHECK(answers_.size() < count_, reading, where(), ": '", printable(line, kShownBytes),
             "' is more than the ", count_, " answers to ", count_, " lines");
}

std::optional<double> AnswerLines::parse(std::string_view line) const {
  GAZE_CHECK(line.size() <= longest_line, reading, where(), ": '", printable(line, kShownBytes),
             "' is longer than ", longest_line, " bytes");
  const std::string_view text = without_blanks(line);
  if (text == "null") return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  GAZE_CHECK(error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
             reading, where(), ": '", printable(line, kShownBytes),
             "' is neither a finite number nor null");
  return value;
}

std::string AnswerLines::where() const {
  return program_ + ", output line " + std::to_string(before_ + answers_.size() + 1);
}

}  // namespace gaze::phyx
