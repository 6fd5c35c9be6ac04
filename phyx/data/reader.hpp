// SPDX-License-Identifier: MIT
// Reading and writing files of problems.
//
//   ProblemReader, for_each_problem   one problem at a time, from a table, a JSONL or one's own
//   data load_tsv, load_jsonl              all problems of a file write_tsv the inverse of load_tsv
//   prompt.hpp                        names, lists, options and prompts
//
// Files are hostile until parsed. Errors name the file, the row (1 is the first below the header;
// for JSONL the line) and the field.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "phyx/data/jsonl.hpp"
#include "phyx/data/own_data.hpp"
#include "phyx/data/table.hpp"
#include "phyx/data/writer.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Throws an Error for a Parquet file with the pandas command that converts it; reading Parquet
/// would need a library larger than this program. `head`: the first bytes of the file.
void refuse_parquet(std::string_view head, const std::filesystem::path& path);

/// Reads problems one at a time: one's own data if the options say so, else PhyX's JSONL if the
/// file's extension is .jsonl, else a table.
class ProblemReader {
 public:
  explicit ProblemReader(const std::filesystem::path& path, const LoadOptions& options = {});

  /// The next problem; empty at the end. Throws Error "[gaze::read_tsv] FILE row N, FIELD: …".
  std::optional<Problem> next() {
    return table_ ? table_->next() : lines_ ? lines_->next() : own_->next();
  }

  /// The number of the row or line that next() read last.
  std::size_t row() const noexcept {
    return table_ ? table_->row() : lines_ ? lines_->row() : own_->row();
  }
  /// Its place, for errors.
  RecordPlace place() const {
    return own_ ? own_->place()
                : RecordPlace{"read_problems", name_, lines_ ? "line" : "row", row()};
  }
  /// Number of skipped rows without a picture.
  std::size_t dropped() const noexcept { return table_ ? table_->dropped() : 0; }
  /// Whether pictures are read from separate files.
  bool pictures_beside() const noexcept {
    return table_   ? table_->pictures_beside()
           : lines_ ? lines_->pictures_beside()
                    : own_->pictures_beside();
  }
  /// The table, or one's own data, being read; null for other files.
  const TableLoader* table() const noexcept { return table_ ? &*table_ : nullptr; }
  const OwnDataLoader* own() const noexcept { return own_ ? &*own_ : nullptr; }

 private:
  std::string name_;
  std::optional<TableLoader> table_;
  std::optional<JsonlLoader> lines_;
  std::optional<OwnDataLoader> own_;
};

/// Calls `use` with each problem of the file. Returns the number of skipped rows without a picture.
std::size_t for_each_problem(const std::filesystem::path& path, const LoadOptions& options,
                             const std::function<void(Problem&&)>& use);

/// All problems of the table at `path`.
LoadResult load_tsv(const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace gaze::phyx
