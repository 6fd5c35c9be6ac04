// SPDX-License-Identifier: MIT
// What fuzz targets share: their list, the check of an invariant, the pieces of an input, and a
// folder for readers of files. README.md has the rules.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze::fuzz {

/// A reader under test. A namespace-scope object adds it to the list.
struct Target {
  using Run = void (*)(std::string_view input);

  std::string_view name;
  Run run;  // reads the input; throws Error if it is refused

  Target(std::string_view of, Run reader) : name(of), run(reader) { all().push_back(this); }

  static std::vector<const Target*>& all() {
    static std::vector<const Target*> targets;
    return targets;
  }
  /// Null if there is no target of this name.
  static const Target* find(std::string_view name) {
    for (const Target* t : all())
      if (t->name == name) return t;
    return nullptr;
  }
};

/// Reports a broken invariant and aborts.
inline void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "FINDING: %s\n", what);
  std::abort();
}

/// Runs the target; any exception but an Error is a finding. Returns the Error's text, "" if the
/// input was accepted.
inline std::string run(const Target& target, std::string_view input) {
  try {
    target.run(input);
  } catch (const Error& e) {
    return e.what();
  } catch (const std::exception& e) {
    require(false, e.what());
  }
  return "";
}

/// The pieces of an input, which lines of three hyphens separate.
struct Pieces {
  std::string_view rest;

  std::string_view next() {
    constexpr std::string_view separator = "\n---\n";
    const auto end = rest.find(separator);
    const std::string_view out = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + separator.size());
    return out;
  }
};

/// A temporary folder that exists as long as its object.
class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "gaze_fuzz_XXXXXX").string()) {
    require(::mkdtemp(path_.data()) != nullptr, "cannot create a folder");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Writes a file and returns its path.
  std::string put(const std::string& name, std::string_view bytes) const {
    std::ofstream(file(name), std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file(name);
  }
  /// The same, but there is no such file if there are no bytes.
  void put_if_any(const std::string& name, std::string_view bytes) const {
    if (bytes.empty())
      std::filesystem::remove(file(name));
    else
      put(name, bytes);
  }

 private:
  std::string path_;
};

}  // namespace gaze::fuzz
