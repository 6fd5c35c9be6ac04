// SPDX-License-Identifier: MIT
// Reads a file line by line, however damaged or long it is.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/input_file.hpp"

namespace gaze::io {

/// Reads one line at a time. Errors name the operation, the file and the line.
class LineFile {
 public:
  static constexpr std::size_t longest_line = std::size_t{64} << 20;  // bytes

  /// Opens a regular file for reading; errors are of this operation.
  LineFile(std::string path, const char* operation)
      : path_(std::move(path)), operation_(operation), file_(open_regular_file(path_, operation)) {}

  /// The next line without its line feed; false after the last one.
  bool next(std::string& line) {
    line.clear();
    ++number_;
    while (file_->good()) {
      file_->getline(part_.data(), static_cast<std::streamsize>(part_.size()));
      const auto count = static_cast<std::size_t>(file_->gcount());
      const bool whole = file_->good();  // the line feed was read, and is counted
      line.append(part_.data(), whole ? count - 1 : count);
      GAZE_CHECK(line.size() <= longest_line, operation_, where(), ": longer than ", longest_line,
                 " bytes");
      if (whole) return true;
      if (!file_->eof()) file_->clear(file_->rdstate() & ~std::ios::failbit);  // more than a part
    }
    GAZE_CHECK(!file_->bad(), operation_, where(), ": cannot be read");
    return !line.empty();
  }

  /// Whether the line just read is the last.
  bool last() { return !file_->good() || file_->peek() == std::ifstream::traits_type::eof(); }

  /// "metrics.jsonl line 3", for the line just read.
  std::string where() const { return path_ + " line " + std::to_string(number_); }

 private:
  std::string path_;
  const char* operation_;
  std::unique_ptr<std::ifstream> file_;
  std::int64_t number_ = 0;
  std::array<char, 1 << 16> part_;
};

}  // namespace gaze::io
