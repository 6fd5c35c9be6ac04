// SPDX-License-Identifier: MIT
// PhyX-style problem files in and out.
//
//   ProblemReader, for_each_problem   one problem at a time, from a table or a JSONL
//   load_tsv, load_jsonl              all of them
//   write_tsv                         the table that load_tsv reads back to the same problems
//   loader_text.hpp                   names, lists, options and prompts
//
// Files are hostile until parsed: every error names the file, the row (1 is the first below the
// header; for JSONL the line) and the field.
#pragma once
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/data/jsonl.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/data/table.hpp"
#include "phyx/data/writer.hpp"

namespace gaze::phyx {

namespace detail {

/// Parquet needs a library larger than this program; pandas turns it into the table that is read.
/// `head` is what the file begins with.
inline void refuse_parquet(std::string_view head, const std::filesystem::path& path) {
  if (!head.starts_with("PAR1")) return;
  const bool onto_itself = path.extension() == ".tsv";
  const std::string from = path.filename().string();
  const std::string to = path.stem().string() + (onto_itself ? "_text.tsv" : ".tsv");
  GAZE_FAIL("read_problems", path.string(),
            ": is Parquet; in its folder, convert it with: python3 ",
            "-c \"import pandas; pandas.read_parquet('", from, "').to_csv('", to,
            "', sep='\\t', index=False)\" (needs pandas and pyarrow; PhyX's files with complete "
            "prompts are data_llms_eval/PhyX_*.parquet)");
}

}  // namespace detail

/// Problems of one file, one in memory at a time: a JSONL by its name's ending, else a table.
class ProblemReader {
 public:
  explicit ProblemReader(const std::filesystem::path& path, const LoadOptions& options = {}) {
    std::array<char, 4> head{};
    io::open_regular_file(path, "read_problems")->read(head.data(), head.size());
    detail::refuse_parquet({head.data(), head.size()}, path);
    if (path.extension() == ".jsonl")
      lines_.emplace(path, options);
    else
      table_.emplace(path, options);
  }

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
  const detail::TableLoader* table() const noexcept { return table_ ? &*table_ : nullptr; }

 private:
  std::optional<detail::TableLoader> table_;
  std::optional<detail::JsonlLoader> lines_;
};

/// Calls `use` with each problem of the file. Returns how many rows without a picture were dropped.
inline std::size_t for_each_problem(const std::filesystem::path& path, const LoadOptions& options,
                                    const std::function<void(Problem&&)>& use) {
  ProblemReader reader(path, options);
  while (auto problem = reader.next()) use(std::move(*problem));
  return reader.dropped();
}

/// All problems of the table at `path`.
inline LoadResult load_tsv(const std::filesystem::path& path, const LoadOptions& options = {}) {
  LoadResult result;
  result.dropped = for_each_problem(
      path, options, [&](Problem&& problem) { result.problems.push_back(std::move(problem)); });
  return result;
}

}  // namespace gaze::phyx
