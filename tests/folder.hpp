// SPDX-License-Identifier: MIT
// A temporary folder that exists as long as its object.
#pragma once
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "gaze/io/atomic_file.hpp"

namespace gaze::test {

struct Folder {
  std::filesystem::path path;

  /// `name` keeps the folders of one process apart.
  explicit Folder(const std::string& name)
      : path(std::filesystem::temp_directory_path() /
             ("gaze_test_" + name + "_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }

  /// The path of a file in the folder, which need not exist.
  std::string file(const std::string& name) const { return (path / name).string(); }
  /// Writes a file, in a subfolder that is created if needed, and returns its path.
  std::string put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    io::write_file(file(name), text);
    return file(name);
  }
  std::string read(const std::string& name) const { return io::read_file(file(name)); }
  /// Number of entries, subfolders included.
  std::size_t count() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
  }
};

}  // namespace gaze::test
