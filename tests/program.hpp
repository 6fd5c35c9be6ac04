// SPDX-License-Identifier: MIT
// Runs the program `gaze` from a test: arguments, exit code, output, and a working folder.
#pragma once
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "gaze/io/atomic_file.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace gaze::test {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// The program under test: built beside the tests, or named by the environment.
inline std::string program() {
#ifdef GAZE_BINARY
  return GAZE_BINARY;
#else
  const char* path = std::getenv("GAZE_PROGRAM");
  return path ? path : "";
#endif
}

/// False, with a warning, where there is no program to run.
inline bool have_program() {
  if (!program().empty()) return true;
  WARN("not tested: GAZE_PROGRAM does not name the program");
  return false;
}

/// The path of a file in a folder of this process and the calling source file, removed when the
/// process ends.
inline std::string at(const std::string& name, const char* source = __builtin_FILE()) {
  static const Folder folder("program");
  const fs::path own = folder.path / fs::path(source).stem();
  fs::create_directories(own);
  return (own / name).string();
}

struct Done {
  int code = -1;  // exit code, or -signal
  std::string out, err;
  long peak = 0;  // memory, in kilobytes
};

/// A started program with its output in files; `name` tells them apart where several run at once.
class Started {
 public:
  explicit Started(const Words& words, const std::string& name = "")
      : out_(at(name + "stdout")), err_(at(name + "stderr")) {
    Words all = {program()};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (auto& w : all) argv.push_back(w.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(::open(out_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), 1);
      ::dup2(::open(err_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), 2);
      ::alarm(300);  // limits every test; exec keeps the alarm
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  Done wait() const {
    int status = 0;
    rusage used{};
    ::wait4(pid_, &status, 0, &used);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return {code, io::read_file(out_), io::read_file(err_), used.ru_maxrss};
  }

 private:
  std::string out_, err_;
  pid_t pid_;
};

inline Done gaze_run(const Words& words) { return Started(words).wait(); }

/// Bad input: exit code 2, one line on stderr with these parts, and no output folder.
inline void refused(const Words& words, const Words& parts, const std::string& out = "") {
  const Done d = gaze_run(words);
  INFO(d.err);
  CHECK(d.code == 2);
  CHECK(d.err.rfind("gaze: ", 0) == 0);
  CHECK(std::count(d.err.begin(), d.err.end(), '\n') == 1);
  CHECK(d.err.back() == '\n');
  CHECK(d.err.size() < 1200);  // the list of GRPO's settings is the longest
  for (const auto& part : parts) {
    INFO("should contain: " << part);
    CHECK(contains(d.err, part));
  }
  if (!out.empty()) CHECK_FALSE(fs::exists(out));
}

}  // namespace gaze::test
