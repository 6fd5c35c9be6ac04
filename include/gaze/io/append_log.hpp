// SPDX-License-Identifier: MIT
// An append-only log of lines, such as metrics.jsonl. A checkpoint records offset(); on resume,
// truncate_to(offset) removes the lines of steps that will be repeated, and any partial line of a
// killed run. One writer per log; a file that is not this log is left unchanged.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::io {

/// A log of lines that this process alone writes, always at its end.
class AppendLog {
 public:
  /// Opens or creates a log. `begins` is the known start of every line, if any: a file whose first
  /// line starts otherwise is an Error and left unchanged. So is a link, and a log that another
  /// process or another AppendLog is writing.
  explicit AppendLog(std::string path, std::string begins = "")
      : path_(std::move(path)),
        begins_(std::move(begins)),
        file_(::open(path_.c_str(),
                     O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666)) {
    check(file_.get() >= 0, errno == ELOOP ? "is a link" : "cannot open");
    GAZE_CHECK(S_ISREG(status().st_mode), "AppendLog", path_, ": not a regular file");
    GAZE_CHECK(detail::lock_file(file_.get()) != detail::Lock::busy, "AppendLog", path_,
               ": another process is writing it");
    std::string first(begins_.size(), '\0');
    const ssize_t n = ::pread(file_.get(), first.data(), first.size(), 0);
    check(n >= 0, "cannot read");
    check_line(std::string_view(first).substr(0, static_cast<std::size_t>(n)), 1);
  }

  /// Appends one line in one write, so that readers and crashes see whole lines. If it cannot be
  /// written, for instance because the disk is full, the log is as before.
  void line(std::string_view text) {
    GAZE_CHECK(text.find('\n') == std::string_view::npos, "AppendLog", path_,
               ": a line contains a line feed");
    std::string whole(text);
    whole += '\n';
    check(detail::append_all(file_.get(), offset(),
                             std::as_bytes(std::span(whole.data(), whole.size()))),
          "cannot write");
  }

  /// The length in bytes.
  std::uint64_t offset() const { return static_cast<std::uint64_t>(status().st_size); }

  /// Truncates the log to `offset`, an earlier offset(); an Error if it is shorter.
  void truncate_to(std::uint64_t offset) {
    const std::uint64_t now = this->offset();
    GAZE_CHECK(offset <= now, "AppendLog", path_, ": cannot truncate to byte ", offset,
               ", it has only ", now);
    check(::ftruncate(file_.get(), static_cast<off_t>(offset)) == 0, "cannot truncate");
  }

  /// Calls use(line, number) for every whole line, numbered from 1, then removes the partial line
  /// of a killed run.
  template <class Use>
  void read_whole_lines(Use use) {
    std::string buffer(1 << 16, '\0'), line;
    std::uint64_t at = 0, whole = 0;
    std::size_t number = 1;
    for (ssize_t n = 1; n > 0; at += static_cast<std::uint64_t>(n)) {
      n = ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
      check(n >= 0, "cannot read");
      std::string_view rest(buffer.data(), static_cast<std::size_t>(n));
      for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
        line += rest.substr(0, end);
        check_line(line, number);
        whole += line.size() + 1;
        use(std::as_const(line), number++);
        line.clear();
      }
      line += rest;
    }
    check_line(line, number);
    truncate_to(whole);
  }

  /// Flushes to the disk; call before a checkpoint records offset().
  void sync() { check(::fsync(file_.get()) == 0, "cannot flush"); }

  const std::string& path() const { return path_; }  ///< as it was opened

 private:
  struct stat status() const {
    struct stat out {};
    check(::fstat(file_.get(), &out) == 0, "cannot read its status");
    return out;
  }
  /// Refuses a line, or part of one, that does not start with begins_.
  void check_line(std::string_view line, std::size_t number) const {
    const std::size_t n = std::min(line.size(), begins_.size());
    GAZE_CHECK(line.substr(0, n) == std::string_view(begins_).substr(0, n), "AppendLog", path_,
               " line ", number, ": not a line of this log, whose lines start with ", begins_,
               "; the file is unchanged");
  }
  void check(bool ok, const char* what) const {
    const int code = errno;
    GAZE_CHECK(ok, "AppendLog", path_, ": ", what, ": ", errno_text(code));
  }

  std::string path_, begins_;
  detail::Descriptor file_;
};

}  // namespace gaze::io
