// SPDX-License-Identifier: MIT
// Files of the repository that tests read: golden files, known cases, documents.
#pragma once
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "tests/test.hpp"

// For a compilation without CMake, which runs in the root of the repository.
#ifndef GAZE_TEST_DATA
#define GAZE_TEST_DATA "tests/data"
#endif
#ifndef GAZE_GOLDEN_DIR
#define GAZE_GOLDEN_DIR "tests/golden"
#endif

namespace gaze::test {

/// The path of a file of tests/data.
inline std::string data_path(const std::string& name) {
  return std::string(GAZE_TEST_DATA) + "/" + name;
}
/// The path of a file of tests/golden, made by the scripts there.
inline std::string golden_path(const std::string& name) {
  return std::string(GAZE_GOLDEN_DIR) + "/" + name;
}
/// The path of any file or folder of the repository.
inline std::string repository_path(const std::string& name) {
  return std::string(GAZE_GOLDEN_DIR) + "/../../" + name;
}

/// Parses a file of tests/golden.
inline nlohmann::json golden_json(const std::string& name) {
  std::ifstream file(golden_path(name), std::ios::binary);
  INFO(golden_path(name));
  REQUIRE(file);
  return nlohmann::json::parse(file);
}

/// Parses each line of a JSONL file; empty lines are skipped.
inline std::vector<nlohmann::json> json_lines(const std::string& path) {
  std::ifstream lines(path);
  INFO(path);
  REQUIRE(lines);
  std::vector<nlohmann::json> out;
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) out.push_back(nlohmann::json::parse(line));
  return out;
}

}  // namespace gaze::test
