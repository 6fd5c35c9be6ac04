// SPDX-License-Identifier: MIT
// Starting a program with fork and execv, and ending its process group.
#include "phyx/rewards/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "gaze/core/clock.hpp"
#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::phyx {

namespace {

constexpr const char* starting = "start_program";

void check_call(bool ok, const std::string& about, const char* what) {
  const int code = errno;
  GAZE_CHECK(ok, starting, about, ": ", what, ": ", io::errno_text(code));
}

bool executable_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

struct Pipe {
  OpenFile read, write;
};

/// Both ends are closed on exec, and above the standard streams, onto which the child copies them.
Pipe make_pipe(const std::string& about) {
  int ends[2];
  check_call(::pipe2(ends, O_CLOEXEC) == 0, about, "cannot create a pipe");
  Pipe out{OpenFile(ends[0]), OpenFile(ends[1])};
  for (OpenFile* end : {&out.read, &out.write}) {
    if (end->get() > STDERR_FILENO) continue;
    *end = OpenFile(::fcntl(end->get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    check_call(end->get() >= 0, about, "cannot create a pipe");
  }
  return out;
}

void set_nonblocking(const OpenFile& file, const std::string& about) {
  const int flags = ::fcntl(file.get(), F_GETFL);
  check_call(flags >= 0 && ::fcntl(file.get(), F_SETFL, flags | O_NONBLOCK) == 0, about,
             "cannot prepare a pipe");
}

/// Arguments of the child, prepared before the fork: after it, only calls that are safe in a signal
/// handler are allowed, since other threads may have held any lock.
struct ChildArguments {
  const char* path;
  char* const* words;
  pid_t parent;
  int input, output, error_output, report;
};

[[noreturn]] void run_child(const ChildArguments& a) noexcept {
  ::setpgid(0, 0);
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != a.parent) ::_exit(127);  // it ended before the call above
#endif
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int s = 1; s < NSIG; ++s) ::sigaction(s, &standard, nullptr);  // some cannot be set
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const bool ready = ::dup2(a.input, STDIN_FILENO) >= 0 && ::dup2(a.output, STDOUT_FILENO) >= 0 &&
                     (a.error_output < 0 || ::dup2(a.error_output, STDERR_FILENO) >= 0);
  if (ready) ::execv(a.path, a.words);
  const int code = errno;
  static_cast<void>(!::write(a.report, &code, sizeof code));
  ::_exit(127);
}

void pause_for(double seconds) noexcept {
  timespec time{};
  time.tv_nsec = static_cast<long>(seconds * 1e9);
  ::nanosleep(&time, nullptr);
}

std::string ending_text(int status) {
  if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status))
    return "signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) +
           ")";
  return "an unknown status";
}

}  // namespace

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void OpenFile::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string find_program(const std::string& name) {
  GAZE_CHECK(!name.empty() && name.find('\0') == name.npos, starting,
             "a program needs a name without NUL bytes");
  if (name.find('/') != name.npos) {
    GAZE_CHECK(executable_file(name), starting, name, ": not an executable file");
    return name;
  }
  const char* const set = std::getenv("PATH");
  const std::string_view folders = set ? set : "/usr/local/bin:/usr/bin:/bin";
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    std::string path(folders.substr(at, end - at));
    path += (path.empty() ? "./" : "/") + name;
    if (executable_file(path)) return path;
    at = end + 1;
  }
  GAZE_FAIL(starting, name, ": no such program in PATH");
}

OpenFile open_for_appending(const std::string& path) {
  constexpr int flags =
      O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  OpenFile file(::open(path.c_str(), flags, 0666));
  check_call(file.get() >= 0, path, errno == ELOOP ? "is a link" : "cannot open");
  struct stat status {};
  check_call(::fstat(file.get(), &status) == 0, path, "cannot read its status");
  GAZE_CHECK(S_ISREG(status.st_mode), starting, path, ": not a regular file");
  return file;
}

ChildProcess::ChildProcess(const std::string& path, const std::vector<std::string>& words,
                           int error_output) {
  Pipe in = make_pipe(path), out = make_pipe(path), report = make_pipe(path);
  set_nonblocking(in.write, path);
  set_nonblocking(out.read, path);
  std::vector<std::string> copies = words;
  std::vector<char*> pointers;
  for (auto& word : copies) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  owner_ = ::getpid();
  const ChildArguments arguments{path.c_str(),      pointers.data(), owner_,
                                 in.read.get(),     out.write.get(), error_output,
                                 report.write.get()};
  pid_ = ::fork();
  if (pid_ == 0) run_child(arguments);
  check_call(pid_ > 0, path, "cannot start a process");
  report.write.close();  // closed by exec in the child: then read() returns 0
  int code = 0;
  ssize_t n = 0;
  do n = ::read(report.read.get(), &code, sizeof code);
  while (n < 0 && errno == EINTR);
  if (n != 0) {
    if (n < 0) code = errno;
    end(0);
    GAZE_FAIL(starting, path, ": cannot start: ", io::errno_text(code));
  }
  input_ = std::move(in.write);
  output_ = std::move(out.read);
}

ssize_t ChildProcess::write(const char* bytes, std::size_t count) noexcept {
  // SIGPIPE is blocked for this thread, and consumed if this write raised it.
  sigset_t broken, before, pending;
  ::sigemptyset(&broken);
  ::sigaddset(&broken, SIGPIPE);
  ::sigpending(&pending);
  ::pthread_sigmask(SIG_BLOCK, &broken, &before);
  const ssize_t n = ::write(input_.get(), bytes, count);
  const int code = errno;
  if (n < 0 && code == EPIPE && !::sigismember(&pending, SIGPIPE)) {
    const timespec none{};
    while (::sigtimedwait(&broken, nullptr, &none) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = code;
  return n;
}

std::string ChildProcess::wait(double seconds) {
  if (pid_ > 0) exits_within(seconds);
  end(0);
  return ending_text(status_);
}

void ChildProcess::end(double grace) noexcept {
  if (pid_ <= 0 || ::getpid() != owner_) return;
  input_.close();
  if (grace > 0 && !exits_within(grace)) {
    ::kill(-pid_, SIGTERM);
    exits_within(grace);
  }
  // The leader is not reaped yet, so its number still means this group.
  ::kill(-pid_, SIGKILL);
  reap();
  output_.close();
}

/// Waits for the leader's end without reaping it. Its output is discarded meanwhile, because a full
/// pipe would keep it from ending.
bool ChildProcess::exits_within(double seconds) noexcept {
  const double until = seconds_now() + seconds;
  char discarded[4096];
  for (double pause = 0.001;; pause = std::min(0.02, 2 * pause)) {
    siginfo_t info{};
    const int done = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (done == 0 && info.si_pid == pid_) return true;
    if (done < 0 && errno != EINTR) return true;  // SIGCHLD is ignored: reaped by the system
    if (seconds_now() >= until) return false;
    while (::read(output_.get(), discarded, sizeof discarded) > 0) {
    }
    pause_for(pause);
  }
}

void ChildProcess::reap() noexcept {
  while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace gaze::phyx
