// SPDX-License-Identifier: MIT
// A log of lines that only grows, such as metrics.jsonl. A checkpoint records offset(); resuming
// from it, truncate_to(offset) takes back the lines of steps that will now be repeated, and any
// half line that a killed run left. One writer per log; a file that is not this log is left alone.
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

class AppendLog {
 public:
  /// Opens a log, or creates it. `begins` is how every line of it begins, where that is known: a
  /// file whose first line begins otherwise is an Error and stays as it is. So is a link, and a log
  /// that another process, or another AppendLog, is writing.
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

  /// Appends one line in one write, so that readers and crashes see whole lines.
  void line(std::string_view text) {
    GAZE_CHECK(text.find('\n') == std::string_view::npos, "AppendLog", path_,
               ": a line holds a line feed");
    std::string whole(text);
    whole += '\n';
    check(detail::write_all(file_.get(), std::as_bytes(std::span(whole.data(), whole.size()))),
          "cannot write");
  }

  /// Its length in bytes.
  std::uint64_t offset() const { return static_cast<std::uint64_t>(status().st_size); }

  /// Cuts the log to what it held when offset() was `offset`; an Error where it is shorter now.
  void truncate_to(std::uint64_t offset) {
    const std::uint64_t now = this->offset();
    GAZE_CHECK(offset <= now, "AppendLog", path_, ": cannot go back to byte ", offset,
               ", there are only ", now);
    check(::ftruncate(file_.get(), static_cast<off_t>(offset)) == 0, "cannot truncate");
  }

  /// Calls use(line, number) for every whole line, from 1, then cuts off the part of a line that a
  /// killed run left.
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

  /// Flushes to the disk; before a checkpoint records offset().
  void sync() { check(::fsync(file_.get()) == 0, "cannot flush"); }

  const std::string& path() const { return path_; }

 private:
  struct stat status() const {
    struct stat out {};
    check(::fstat(file_.get(), &out) == 0, "cannot look at it");
    return out;
  }
  /// Refuses a line, or as much as there is of it, that begins otherwise than ours.
  void check_line(std::string_view line, std::size_t number) const {
    const std::size_t n = std::min(line.size(), begins_.size());
    GAZE_CHECK(line.substr(0, n) == std::string_view(begins_).substr(0, n), "AppendLog", path_,
               " line ", number, ": not a line of this log, which begin with ", begins_,
               "; the file was left as it is");
  }
  void check(bool ok, const char* what) const {
    const int code = errno;
    GAZE_CHECK(ok, "AppendLog", path_, ": ", what, ": ", errno_text(code));
  }

  std::string path_, begins_;
  detail::Descriptor file_;
};

}  // namespace gaze::io
