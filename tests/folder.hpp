// SPDX-License-Identifier: MIT
// A folder of a test's own, which goes away with it.
#pragma once
#include <unistd.h>

#include <filesystem>
#include <string>

namespace gaze::test {

struct Folder {
  std::filesystem::path path;

  explicit Folder(const std::string& name)
      : path(std::filesystem::temp_directory_path() /
             ("gaze_test_" + name + "_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
};

}  // namespace gaze::test
