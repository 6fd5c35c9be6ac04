// SPDX-License-Identifier: MIT
// Exchanging batches of lines with a program through two pipes.
#include "phyx/rewards/external_program.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <utility>

#include "gaze/core/clock.hpp"
#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::phyx {

namespace {

constexpr const char* asking = "reward_program";
constexpr double exit_wait = 1;  // seconds for a program whose output ended to exit, for its status

bool try_again(int code) { return code == EINTR || code == EAGAIN || code == EWOULDBLOCK; }

}  // namespace

/// The state of one attempt at a batch.
struct ExternalProgram::Batch {
  std::string input;  // all lines
  std::size_t count;  // of lines
  AnswerLines output;
  std::size_t sent = 0;                             // bytes of `input`
  bool input_closed = false, output_ended = false;  // by the program

  std::size_t answered() const { return output.answers().size(); }
  bool done() const { return sent == input.size() && answered() == count; }
};

ExternalProgram::ExternalProgram(std::vector<std::string> exec, ProgramSettings settings)
    : exec_(std::move(exec)), settings_(std::move(settings)) {
  GAZE_CHECK(!exec_.empty(), asking, "exec is empty; it needs a program");
  for (const auto& word : exec_) {
    GAZE_CHECK(word.find('\0') == word.npos, asking, "exec contains a NUL byte");
    name_ += (name_.empty() ? "" : " ") + word;
  }
  name_ = printable(name_, kShownBytes);
  const auto check_seconds = [&](const char* setting, double value) {
    using S = ProgramSettings;
    GAZE_CHECK(value >= S::least_seconds && value <= S::most_seconds, asking, name_, ": ", setting,
               " must be ", S::least_seconds, " to ", S::most_seconds, ", got ", value);
  };
  check_seconds("seconds", settings_.seconds);
  check_seconds("end_seconds", settings_.end_seconds);
  GAZE_CHECK(settings_.restarts >= 0, asking, name_, ": restarts must be at least 0, got ",
             settings_.restarts);
  path_ = find_program(exec_[0]);
}

ExternalProgram::~ExternalProgram() {
  if (child_) child_->end(settings_.end_seconds);
}

void ExternalProgram::start() {
  if (!settings_.log.empty() && log_.get() < 0) log_ = open_for_appending(settings_.log);
  child_.emplace(path_, exec_, log_.get());
  lines_ = 0;
  ++starts_;
}

std::vector<std::optional<double>> ExternalProgram::ask(std::span<const std::string> lines) {
  if (lines.empty()) return {};
  std::string input;
  for (const auto& line : lines) {
    GAZE_CHECK(line.find('\n') == line.npos, asking, name_, ": a line to send has a line feed");
    input.append(line) += '\n';
  }
  for (int failures = 0;; ++failures) {
    std::string trouble;
    try {
      if (!child_) start();
      check_silent();
      Batch batch{input, lines.size(), {name_, lines_, lines.size()}};
      trouble = attempt(batch);
      lines_ += batch.answered();
      if (trouble.empty()) return batch.output.answers();
    } catch (...) {
      child_.reset();  // after an Error, its next line would answer an unknown question
      throw;
    }
    child_.reset();
    const std::string log =
        settings_.log.empty() ? "" : "; its standard error is in " + settings_.log;
    GAZE_CHECK(failures < settings_.restarts, asking, name_, ": ", trouble, " in attempt ",
               failures + 1, " of ", settings_.restarts + 1, log);
    note(name_ + ": " + trouble + "; restart " + std::to_string(failures + 1) + " of " +
         std::to_string(settings_.restarts));
  }
}

/// Refuses output that was printed since the last batch.
void ExternalProgram::check_silent() {
  char byte = 0;
  const ssize_t n = ::read(child_->output(), &byte, 1);
  GAZE_CHECK(n <= 0, asking, name_, ", output line ", lines_ + 1, ": more lines than questions");
}

/// Returns "" once the batch is answered, else the reason to start again.
std::string ExternalProgram::attempt(Batch& batch) {
  const double until = seconds_now() + settings_.seconds;
  const auto progress = [&] {
    return concat("answered ", batch.answered(), " of ", batch.count, " lines");
  };
  while (!batch.done()) {
    const bool answered = batch.answered() == batch.count;
    if (batch.output_ended || (batch.input_closed && answered)) {
      const std::string ending = child_->wait(exit_wait);
      return concat(progress(), " and then ",
                    batch.output_ended ? "ended its output" : "closed its input", " (", ending,
                    ")");
    }
    const double left = until - seconds_now();
    if (left <= 0) return concat(progress(), " within ", settings_.seconds, " s");
    const bool writes = batch.sent < batch.input.size() && !batch.input_closed;
    std::array<pollfd, 2> files{pollfd{child_->output(), POLLIN, 0},
                                pollfd{writes ? child_->input() : -1, POLLOUT, 0}};
    const int wait_ms = static_cast<int>(std::ceil(std::min(left, 1000.0) * 1000));
    const int ready = ::poll(files.data(), files.size(), wait_ms);
    const int code = errno;
    GAZE_CHECK(ready >= 0 || code == EINTR, asking, name_, ": cannot wait: ", io::errno_text(code));
    if (ready <= 0) continue;
    if (files[0].revents) read_output(batch);
    if (files[1].revents) write_input(batch);
  }
  return "";
}

void ExternalProgram::read_output(Batch& batch) {
  std::array<char, 1 << 16> block;
  const ssize_t n = ::read(child_->output(), block.data(), block.size());
  const int code = errno;
  GAZE_CHECK(n >= 0 || try_again(code), asking, name_, ": cannot read: ", io::errno_text(code));
  if (n == 0) batch.output_ended = true;
  if (n <= 0) return;
  batch.output.add({block.data(), static_cast<std::size_t>(n)});
}

void ExternalProgram::write_input(Batch& batch) {
  const ssize_t n = child_->write(batch.input.data() + batch.sent, batch.input.size() - batch.sent);
  const int code = errno;
  GAZE_CHECK(n >= 0 || code == EPIPE || try_again(code), asking, name_,
             ": cannot write: ", io::errno_text(code));
  if (n < 0 && code == EPIPE) batch.input_closed = true;
  if (n > 0) batch.sent += static_cast<std::size_t>(n);
}

/// Appends a line to the log. A note that cannot be written is dropped.
void ExternalProgram::note(const std::string& text) const noexcept {
  if (log_.get() < 0) return;
  const std::string line = "[gaze] " + text + "\n";
  static_cast<void>(!::write(log_.get(), line.data(), line.size()));
}

}  // namespace gaze::phyx
