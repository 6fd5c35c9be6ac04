// SPDX-License-Identifier: MIT
// Tab-separated tables, as pandas.read_csv(sep='\t') reads them and to_csv writes them.
//
//   TsvReader   one row at a time from a file of any size: a quoted field may hold tabs, line ends
//               and doubled quotes; a short, long or unfinished row is an error with its number
//   TsvWriter   a whole table, atomically: temporary file, flush to disk, rename
//   pandas_columns.hpp   which texts pandas takes for "missing", and which columns for numbers
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/io/atomic_file.hpp"

namespace gaze::phyx {

/// What a table may hold at most; beyond it the reader throws before taking the memory.
struct TsvLimits {
  std::size_t field_bytes = std::size_t{64} << 20;  // PhyX's largest picture is about 7 MB as text
  std::size_t columns = 1024;
  std::size_t answer_bytes = std::size_t{64} << 10;  // of a truth or an option
  std::size_t list_bytes = std::size_t{4} << 10;     // of a list of reasoning types
  std::size_t reply_bytes = std::size_t{4} << 20;    // of a prediction: a million tokens
};

/// Reads a table row by row. Blank lines are skipped; LF, CRLF and CR all end a row.
class TsvReader {
 public:
  using Row = std::vector<std::string>;
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  explicit TsvReader(const std::filesystem::path& path, TsvLimits limits = {});

  /// `name` stands for the file in errors.
  TsvReader(std::unique_ptr<std::istream> stream, std::string name, TsvLimits limits = {});

  const Row& columns() const noexcept { return columns_; }
  const std::string& name() const noexcept { return name_; }
  /// The number of the row read last: 1 is the first below the header.
  std::size_t row() const noexcept { return row_; }
  /// Where the row read last starts in the file; seek() goes back to it.
  std::uint64_t row_offset() const noexcept { return row_offset_; }

  /// The position of the column called `wanted`, or `none`.
  std::size_t column(std::string_view wanted) const noexcept;

  /// From now on the cells of column `at` are passed over: next() leaves them empty, and their
  /// text never is in memory.
  void skip(std::size_t at);

  /// Reads the next row into `fields` (one per column); false at the end of the file. Throws Error
  /// for a row with another number of fields than the header, and for one beyond the limits.
  bool next(Row& fields);

  /// Makes next() return the row that started at `offset` and was number `row`.
  void seek(std::uint64_t offset, std::size_t row);

 private:
  std::string where() const;
  int peek();
  void take_until_stop(std::string* field, bool quoted);
  void read_field(std::string* field);
  [[noreturn]] void refuse_nul(std::size_t column) const;
  bool read_fields(Row& fields);

  std::unique_ptr<std::istream> stream_;
  std::string name_;
  TsvLimits limits_;
  std::vector<char> buffer_ = std::vector<char>(1 << 16);
  std::size_t at_ = 0, end_ = 0;     // the unread part of buffer_
  std::uint64_t buffer_offset_ = 0;  // where buffer_ starts in the file
  std::uint64_t row_offset_ = 0;
  std::size_t row_ = 0;
  Row columns_;
  std::vector<bool> skipped_;  // by column; empty: none
};

/// Writes a table. Nothing appears under `path` before finish(); without it nothing ever does.
class TsvWriter {
 public:
  TsvWriter(const std::filesystem::path& path, const std::vector<std::string>& columns);
  TsvWriter(const TsvWriter&) = delete;
  TsvWriter& operator=(const TsvWriter&) = delete;

  /// One row: a field per column, quoted where a tab, a quote or a line end demands it.
  void write(const std::vector<std::string>& fields);

  /// Brings the table to disk and gives it its name.
  void finish();

 private:
  void append_field(const std::string& field);
  void flush();

  std::string path_, text_;  // text_: what is not yet written
  std::size_t columns_;
  io::AtomicFile file_;
  bool finished_ = false;
};

}  // namespace gaze::phyx
