// SPDX-License-Identifier: MIT
// Progress on stderr: within the terminal's width, and without control characters for terminals
// that do not support them.
#include "phyx/cli/progress.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "gaze/io/atomic_file.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_progress {
namespace {

using namespace gaze;
using gaze::phyx::Progress;
using gaze::test::contains;

/// Redirects stderr to another file during its lifetime.
struct Redirected {
  int before = ::dup(2);
  explicit Redirected(int fd) { ::dup2(fd, 2); }
  ~Redirected() {
    ::dup2(before, 2);
    ::close(before);
  }
};

void work() {
  Progress progress;
  progress.begin("training accuracy, seed 0");
  for (std::size_t i = 1; i <= 3; ++i)
    progress.update(i, 3, "grpo  loss 0.123  reward 0.456  accuracy 0.789");
}

/// Output of work() to a terminal of this kind and width; "" without pseudo-terminals.
std::string on_terminal(const char* kind, unsigned short columns) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) return "";
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  winsize size{};
  size.ws_col = columns;
  ::ioctl(slave, TIOCSWINSZ, &size);
  const char* const before = std::getenv("TERM");
  const std::string kept = before ? before : "";
  ::setenv("TERM", kind, 1);
  {
    const Redirected redirected(slave);
    work();
  }
  if (before)
    ::setenv("TERM", kept.c_str(), 1);
  else
    ::unsetenv("TERM");
  ::close(slave);  // read() fails after the remaining output
  std::string out;
  char part[1024];
  for (ssize_t n; (n = ::read(master, part, sizeof part)) > 0;)
    out.append(part, static_cast<std::size_t>(n));
  ::close(master);
  return out;
}

/// The longest line between returns and line feeds, without the sequence that clears its end.
std::size_t longest_line(const std::string& text) {
  std::size_t most = 0, length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "\033[K") == 0) {
      i += 2;
    } else if (text[i] == '\r' || text[i] == '\n') {
      length = 0;
    } else {
      most = std::max(most, ++length);
    }
  }
  return most;
}

}  // namespace

TEST_CASE("progress stays within the terminal") {
  for (const unsigned short columns : {26, 40, 60, 79, 80, 200}) {
    const std::string text = on_terminal("xterm", columns);
    if (text.empty()) return;  // no pseudo-terminals here
    INFO(columns << " columns");
    CHECK(contains(text, "\r  "));
    CHECK(contains(text, "3/3"));
    CHECK(longest_line(text) < columns);
    CHECK(contains(text, "[####") == (columns >= 200));
  }
  CHECK(longest_line(on_terminal("xterm", 0)) < 80);  // a terminal of unknown width
}

TEST_CASE("progress on a dumb terminal, or without one, is plain lines") {
  const test::Folder folder("progress");
  {
    const int file = ::open(folder.file("log").c_str(), O_CREAT | O_WRONLY, 0600);
    const Redirected redirected(file);
    ::close(file);
    work();
  }
  std::vector<std::string> all = {io::read_file(folder.file("log"))};
  for (const char* kind : {"dumb", ""}) all.push_back(on_terminal(kind, 200));
  for (const auto& text : all) {
    if (text.empty()) continue;
    CHECK(contains(text, "training accuracy, seed 0"));
    CHECK(contains(text, "3/3"));
    CHECK_FALSE(contains(text, "\033"));
    for (std::size_t i = 0; i < text.size(); ++i)  // a terminal's line feed is "\r\n"
      if (text[i] == '\r') CHECK(text[i + 1] == '\n');
  }
}

TEST_CASE("a line of progress is cut between characters") {
  CHECK(Progress::fitted("##", "12/20", 80) == "  [##] 12/20");
  CHECK(Progress::fitted("##", "12/20", 13) == "  [##] 12/20");
  CHECK(Progress::fitted("##", "12/20", 12) == "  12/20");
  CHECK(Progress::fitted("##", "12/20", 5) == "  12");
  CHECK(Progress::fitted("##", "\u00e9\u00e9\u00e9", 5) == "  \u00e9\u00e9");
  CHECK(Progress::fitted("##", "12/20", 0).size() <= 1);
}

}  // namespace test_progress
