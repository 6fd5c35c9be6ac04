// SPDX-License-Identifier: MIT
// Shell scripts as reward programs, and whether their processes still run.
#pragma once
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "gaze/core/clock.hpp"
#include "tests/folder.hpp"

namespace gaze::test {

/// The arguments of a program that runs `script` with the folder's path as $1.
inline std::vector<std::string> shell_program(const Folder& folder, const std::string& script) {
  return {"/bin/sh", folder.put("program.sh", script), folder.path.string()};
}

/// Whether a process exists and is no zombie.
inline bool runs(pid_t pid) {
  if (::kill(pid, 0) != 0) return false;
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return !std::ifstream("/proc/self/stat").is_open();
  const auto name_end = text.rfind(") ");
  return name_end != text.npos && text[name_end + 2] != 'Z';
}

/// Whether the process ends within 20 seconds.
inline bool ends(pid_t pid) {
  for (const double until = seconds_now() + 20; seconds_now() < until; ::usleep(5000))
    if (!runs(pid)) return true;
  return false;
}

/// The whole lines of a file as numbers.
inline std::vector<pid_t> numbers_in(const std::string& path) {
  std::ifstream file(path);
  std::vector<pid_t> out;
  for (pid_t number = 0; file >> number;) out.push_back(number);
  return out;
}

}  // namespace gaze::test
