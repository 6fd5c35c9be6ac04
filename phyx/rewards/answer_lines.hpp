// SPDX-License-Identifier: MIT
// The answers in the output of a reward program: one number or null per line.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gaze::phyx {

/// Parses the output to one batch, in pieces as they arrive.
class AnswerLines {
 public:
  /// The longest line that a program may print, in bytes.
  static constexpr std::size_t longest_line = 1024;

  /// `program` and the number of lines that it printed `before` are named in errors. The batch has
  /// `count` lines.
  AnswerLines(std::string program, std::size_t before, std::size_t count);

  /// Adds output. Throws Error for a line that is not one finite number or null, for one that is
  /// too long, and for more than `count` lines.
  void add(std::string_view output);

  /// One for each whole line so far; null is an empty answer.
  const std::vector<std::optional<double>>& answers() const noexcept { return answers_; }

 private:
  std::string where() const;
  std::optional<double> parse(std::string_view line) const;
  void check_expected(std::string_view line) const;

  std::string program_;
  std::size_t before_, count_;
  std::string rest_;  // the unfinished line
  std::vector<std::optional<double>> answers_;
};

}  // namespace gaze::phyx
