// SPDX-License-Identifier: MIT
// A program in any language that answers lines: one line of JSON in, one number or null out.
//
//   ExternalProgram program({"python3", "my_reward.py"}, {.log = "out/reward.log"});
//   const auto answers = program.ask(lines);   // one per line
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "phyx/rewards/answer_lines.hpp"
#include "phyx/rewards/child_process.hpp"

namespace gaze::phyx {

struct ProgramSettings {
  /// The range of both times.
  static constexpr double least_seconds = 1e-3, most_seconds = 1e6;

  double seconds = 60;     // time limit of one batch; the first also includes the program's start
  int restarts = 3;        // attempts at one batch after the first
  double end_seconds = 2;  // grace before SIGTERM, and again before SIGKILL
  std::string log = {};    // file to which standard error is appended; empty: not redirected
};

/// A program that runs from the first question until this object is destroyed. Not thread-safe.
/// The program is trusted like the user's own code; its output is not.
class ExternalProgram {
 public:
  /// `exec`: the program, searched for in PATH unless it contains a slash, and its arguments. No
  /// shell is involved. Throws Error if there is no such program or a setting is out of range.
  explicit ExternalProgram(std::vector<std::string> exec, ProgramSettings settings = {});
  ExternalProgram(const ExternalProgram&) = delete;
  ExternalProgram& operator=(const ExternalProgram&) = delete;

  /// Closes the program's standard input and waits for its end; after `end_seconds`, its process
  /// group gets SIGTERM, then SIGKILL.
  ~ExternalProgram();

  /// The answer to each line of a batch, in order; null is an empty answer. `lines` must not
  /// contain line feeds. If the program exits, closes a stream or exceeds the time limit, it is
  /// started again and the whole batch is repeated. Throws Error if that fails `restarts` times in
  /// a row, and at once for output that is not one finite number or null per line.
  std::vector<std::optional<double>> ask(std::span<const std::string> lines);

  /// How often the program has been started.
  int starts() const noexcept { return starts_; }

  /// The program and its arguments, separated by spaces, for messages.
  const std::string& name() const noexcept { return name_; }

 private:
  struct Batch;

  void start();
  void check_silent();
  std::string attempt(Batch& batch);
  void read_output(Batch& batch);
  void write_input(Batch& batch);
  void note(const std::string& text) const noexcept;

  std::vector<std::string> exec_;
  ProgramSettings settings_;
  std::string name_, path_;
  OpenFile log_;
  std::optional<ChildProcess> child_;
  std::size_t lines_ = 0;  // whole lines read since the program's start
  int starts_ = 0;
};

}  // namespace gaze::phyx
