// SPDX-License-Identifier: MIT
// Opening closed streams, and flushing stdout.
#include "phyx/cli/standard_streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::phyx::cli {

void prepare_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      ::open("/dev/null", O_RDWR);  // gets the lowest free number, which is this one
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file above the limit of ulimit -f: an Error, not the end
  // Large enough for what the commands print, so that an error occurs in finish_output().
  static std::array<char, 1 << 16> buffer;
  if (!::isatty(STDOUT_FILENO)) std::setvbuf(stdout, buffer.data(), _IOFBF, buffer.size());
}

void finish_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int code = errno;
  if (flushed && !std::ferror(stdout)) return;
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  if (code == EPIPE || (::poll(&out, 1, 0) == 1 && out.revents & POLLERR)) return;
  GAZE_FAIL("print", "standard output: cannot write",
            code ? ": " + io::errno_text(code) : std::string());
}

}  // namespace gaze::phyx::cli
