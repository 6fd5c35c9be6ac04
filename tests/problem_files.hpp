// SPDX-License-Identifier: MIT
// Files of problems for tests: a folder, pictures, a table's rows and a JSONL's record.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gaze/io/base64.hpp"
#include "tests/folder.hpp"

namespace gaze::test::problems {

namespace fs = std::filesystem;
using gaze::io::base64_encode;

/// A temporary folder with a subfolder for pictures.
struct ProblemFolder : Folder {
  explicit ProblemFolder(const std::string& name) : Folder("loader_" + name) {
    fs::create_directories(path / "images");
  }
};

/// The signature of a PNG (or JPEG) followed by filler bytes `tag`.
inline std::vector<std::uint8_t> picture(std::uint8_t tag, bool jpeg = false) {
  std::vector<std::uint8_t> bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  if (jpeg) bytes = {0xFF, 0xD8, 0xFF, 0xE0};
  bytes.resize(80, tag);
  return bytes;
}

inline std::string as_text(const std::vector<std::uint8_t>& bytes) {
  return std::string(bytes.begin(), bytes.end());
}

inline const std::string image64 = io::base64_encode(picture(1));
/// A PNG of one pixel.
inline const std::string pixel64 =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg==";
inline const std::string header =
    "index\tquestion\tanswer\timage\tcategory\tsubfield\treasoning_type\n";
inline const std::string mc_question =
    "How far?Please directly answer the question and provide the correct OPTION LETTER ONLY, e.g., "
    "A, B, C, D. OPTION: A: 1 m B: 2 m C: 3 m D: 4 m";

inline std::string row(const std::string& index, const std::string& answer,
                       const std::string& image, const std::string& category = "Optics",
                       const std::string& reasoning = "") {
  return index + "\tq\t" + answer + "\t" + image + "\t" + category + "\ts\t" + reasoning + "\n";
}

inline nlohmann::json record() {
  return {{"index", 7},
          {"question", "How far?"},
          {"question_description", "A ball falls."},
          {"question_simply", "A ball."},
          {"options", "A:\"1 m\",B:\"2 m \",C:\"3 m\",D:\"4 m\""},
          {"answer", "B"},
          {"image", "7.png"},
          {"category", "Wave/Acoustics"},
          {"subfield", "Sound"},
          {"reasoning_type", {"Numerical Reasoning", "Predictive Reasoning"}}};
}

}  // namespace gaze::test::problems
