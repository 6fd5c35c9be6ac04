// SPDX-License-Identifier: MIT
// PhyX-style problem files in and out.
//
//   ProblemReader, for_each_problem   one problem at a time, from a table or a JSONL
//   load_tsv, load_jsonl              all of them
//   write_tsv                         the table that load_tsv reads back to the same problems
//   prompt.hpp                        names, lists, options and prompts
//
// Files are hostile until parsed: every error names the file, the row (1 is the first below the
// header; for JSONL the line) and the field.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "phyx/data/jsonl.hpp"
#include "phyx/data/table.hpp"
#include "phyx/data/writer.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Throws Error for a Parquet file and says how pandas turns it into the table that is read;
/// reading it here would need a library larger than this program. `head` is what the file begins
/// with.
void refuse_parquet(std::string_view head, const std::filesystem::path& path);

/// Problems of one file, one in memory at a time: a JSONL by its name's ending, else a table.
class ProblemReader {
 public:
  explicit ProblemReader(const std::filesystem::path& path, const LoadOptions& options = {});

  /// The next problem; nothing at the end. Throws Error "[gaze::read_tsv] FILE row N, FIELD: …".
  std::optional<Problem> next() { return table_ ? table_->next() : lines_->next(); }

  /// The row, or line, that next() read last.
  std::size_t row() const noexcept { return table_ ? table_->row() : lines_->row(); }
  /// How many rows without a picture were passed over.
  std::size_t dropped() const noexcept { return table_ ? table_->dropped() : 0; }
  /// Whether pictures are read from files beside this one.
  bool pictures_beside() const noexcept {
    return table_ ? table_->pictures_beside() : lines_->pictures_beside();
  }
  /// The table behind it; null for a JSONL.
  const TableLoader* table() const noexcept { return table_ ? &*table_ : nullptr; }

 private:
  std::optional<TableLoader> table_;
  std::optional<JsonlLoader> lines_;
};

/// Calls `use` with each problem of the file. Returns how many rows without a picture were dropped.
std::size_t for_each_problem(const std::filesystem::path& path, const LoadOptions& options,
                             const std::function<void(Problem&&)>& use);

/// All problems of the table at `path`.
LoadResult load_tsv(const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace gaze::phyx
