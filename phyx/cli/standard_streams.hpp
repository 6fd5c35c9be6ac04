// SPDX-License-Identifier: MIT
// Standard input, output and error, whatever the program was started with.
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "gaze/io/atomic_file.hpp"

namespace gaze::phyx::cli {

/// Call it first. A standard stream that was closed becomes /dev/null: else the next file that is
/// opened would take its number, and with it what is printed. Printing to a reader that has gone
/// fails like any write, instead of ending the program in the middle of its work.
inline void prepare_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      ::open("/dev/null", O_RDWR);  // takes the lowest free number: this one
  std::signal(SIGPIPE, SIG_IGN);
}

/// Call it last. What was printed and cannot be written is an Error, unless the reader wanted no
/// more of it, as in `gaze score ... | head -1`.
inline void finish_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int code = errno;
  if (flushed && !std::ferror(stdout)) return;
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  if (code == EPIPE || (::poll(&out, 1, 0) == 1 && out.revents & POLLERR)) return;
  GAZE_FAIL("print", "standard output: cannot write",
            code ? ": " + io::detail::errno_text(code) : std::string());
}

}  // namespace gaze::phyx::cli
