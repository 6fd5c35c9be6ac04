// SPDX-License-Identifier: MIT
// One's own pictures, questions and answers: a JSONL file with one row per line. docs/own_data.md
// has the schema.
//
//   OwnDataLoader   reads the rows as problems, one at a time
//   held_out        splits rows by their pictures
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "phyx/data/fields.hpp"
#include "phyx/data/pictures.hpp"
#include "phyx/data/table.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Reads rows with one row in memory at a time. Of the options it uses `pictures`, `pictures_at`
/// and `limits`; texts are limited to `limits.answer_bytes`, pictures and lines to
/// `limits.field_bytes`.
class OwnDataLoader {
 public:
  OwnDataLoader(const std::filesystem::path& path, const LoadOptions& options);

  /// The next problem; empty at the end. `question` is PhyX's complete prompt (render_prompt);
  /// bare_prompt() returns the row's own question. `answer` and `response` are empty if the row has
  /// none. Throws Error "[gaze::own_data] FILE line N, COLUMN: …".
  std::optional<Problem> next();

  /// The number of the line that next() read last.
  std::size_t row() const noexcept { return number_; }
  /// Whether pictures may be in separate files.
  bool pictures_beside() const noexcept { return options_.pictures; }
  /// Whether the picture of the row read last was in a separate file.
  bool picture_in_file() const noexcept { return in_file_; }
  /// The place of the row read last, for errors.
  RecordPlace place() const { return {"own_data", name_, "line", number_}; }

 private:
  Problem problem(const io::Json& row);
  std::vector<std::uint8_t> picture(const io::Json& row);

  std::string name_;
  LoadOptions options_;
  PictureFolder pictures_;
  std::unique_ptr<std::ifstream> file_;
  std::set<std::string> ids_;
  std::string line_;
  std::size_t number_ = 0;
  bool in_file_ = false;
};

/// For each row, whether it is held out. Rows with the same picture, given by its SHA-256, are on
/// the same side: the distinct pictures are ordered by the SHA-256 of "SEED PICTURE", and the first
/// round(share * pictures), at least one and not all, are held out. Throws Error unless
/// 0 < share < 1 and there are at least two pictures.
std::vector<bool> held_out(const std::vector<std::string>& pictures, double share,
                           std::uint64_t seed);

}  // namespace gaze::phyx
