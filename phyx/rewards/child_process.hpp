// SPDX-License-Identifier: MIT
// A child process with pipes to its standard input and output. It leads a process group of its own,
// so that a terminal's Ctrl-C does not reach it and its whole group can be ended.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace gaze::phyx {

/// An open file descriptor that closes itself.
class OpenFile {
 public:
  explicit OpenFile(int fd = -1) noexcept : fd_(fd) {}
  OpenFile(OpenFile&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile() { close(); }

  int get() const noexcept { return fd_; }
  void close() noexcept;

 private:
  int fd_;
};

/// The path of a program: `name` itself if it contains a slash, else searched for in PATH. Throws
/// Error unless it is an executable regular file.
std::string find_program(const std::string& name);

/// Opens a regular file for appending, and creates it if needed. Throws Error for a link, a pipe or
/// a device.
OpenFile open_for_appending(const std::string& path);

/// A running program. Not thread-safe. On Linux the program is killed when the thread that started
/// it ends, however it ends; the rest of its group is not.
class ChildProcess {
 public:
  /// Starts `path` with the arguments `words`, of which words[0] is the program's name; no shell is
  /// involved. `error_output` becomes its standard error; -1: that of this process. The signal mask
  /// and ignored signals are not inherited. Throws Error if the program cannot be started.
  ChildProcess(const std::string& path, const std::vector<std::string>& words, int error_output);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Ends the group at once.
  ~ChildProcess() { end(0); }

  /// Writes to its standard input without blocking and without SIGPIPE. Returns the bytes written,
  /// or -1 with errno.
  ssize_t write(const char* bytes, std::size_t count) noexcept;

  /// Descriptors of the pipes, non-blocking, for poll() and read().
  int input() const noexcept { return input_.get(); }
  int output() const noexcept { return output_.get(); }

  /// Waits at most this long for the program to exit by itself, then ends the group at once.
  /// Returns how the program ended: "exit status 1", "signal 11 (Segmentation fault)".
  std::string wait(double seconds);

  /// Closes its standard input and waits `grace` seconds for the program to exit; sends SIGTERM to
  /// the group and waits as long again; sends SIGKILL to the rest of the group. Does nothing if the
  /// program has ended, or in a process forked from the one that started it.
  void end(double grace) noexcept;

 private:
  bool exits_within(double seconds) noexcept;
  void reap() noexcept;

  pid_t pid_ = -1, owner_ = -1;
  int status_ = 0;
  OpenFile input_, output_;
};

}  // namespace gaze::phyx
