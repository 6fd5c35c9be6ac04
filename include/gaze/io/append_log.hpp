// SPDX-License-Identifier: MIT
// A log of lines that only grows, such as metrics.jsonl. A checkpoint records offset(); resuming
// from it, truncate_to(offset) takes back the lines of steps that will now be repeated, and any
// half line that a killed run left.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::io {

class AppendLog {
 public:
  /// Opens a log, or creates it.
  explicit AppendLog(std::string path)
      : path_(std::move(path)),
        file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    check(file_.get() >= 0, "cannot open");
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
  std::uint64_t offset() const {
    struct stat status {};
    check(::fstat(file_.get(), &status) == 0, "cannot look at it");
    return static_cast<std::uint64_t>(status.st_size);
  }

  /// Cuts the log to what it held when offset() was `offset`; an Error where it is shorter now.
  void truncate_to(std::uint64_t offset) {
    const std::uint64_t now = this->offset();
    GAZE_CHECK(offset <= now, "AppendLog", path_, ": cannot go back to byte ", offset,
               ", there are only ", now);
    check(::ftruncate(file_.get(), static_cast<off_t>(offset)) == 0, "cannot truncate");
  }

  /// Flushes to the disk; before a checkpoint records offset().
  void sync() { check(::fsync(file_.get()) == 0, "cannot flush"); }

  const std::string& path() const { return path_; }

 private:
  void check(bool ok, const char* what) const {
    const int code = errno;
    GAZE_CHECK(ok, "AppendLog", path_, ": ", what, ": ", detail::errno_text(code));
  }

  std::string path_;
  detail::Descriptor file_;
};

}  // namespace gaze::io
