// SPDX-License-Identifier: MIT
// Tab-separated tables as pandas.read_csv(sep='\t') reads and to_csv writes them.
//
//   TsvReader   streams rows; a quoted field may contain tabs, line ends and doubled quotes; a row
//               with too few, too many or unfinished fields is an error with its number
//   TsvWriter   writes a whole table atomically: temporary file, flush to disk, rename
//   pandas_columns.hpp   pandas' rules for missing cells and for column types
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

/// Limits of a table; the reader throws before it allocates more.
struct TsvLimits {
  std::size_t field_bytes = std::size_t{64} << 20;  // PhyX's largest picture is about 7 MB as text
  std::size_t columns = 1024;
  std::size_t answer_bytes = std::size_t{64} << 10;  // per answer or option
  std::size_t list_bytes = std::size_t{4} << 10;     // per list of reasoning types
  std::size_t reply_bytes = std::size_t{4} << 20;    // per prediction: about a million tokens
};

/// Reads a table row by row. Blank lines are skipped; LF, CRLF and CR all end a row.
class TsvReader {
 public:
  using Row = std::vector<std::string>;
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  explicit TsvReader(const std::filesystem::path& path, TsvLimits limits = {});

  /// `name` is the name of the file in errors.
  TsvReader(std::unique_ptr<std::istream> stream, std::string name, TsvLimits limits = {});

  const Row& columns() const noexcept { return columns_; }
  const std::string& name() const noexcept { return name_; }
  /// The number of the row read last: 1 is the first below the header.
  std::size_t row() const noexcept { return row_; }
  /// Byte offset of the row read last, for seek().
  std::uint64_t row_offset() const noexcept { return row_offset_; }

  /// The position of the column called `wanted`, or `none`.
  std::size_t column(std::string_view wanted) const noexcept;

  /// Skips the cells of column `at` from now on: next() leaves them empty without storing their
  /// text.
  void skip(std::size_t at);

  /// Reads the next row into `fields` (one per column); false at the end of the file. Throws Error
  /// if the number of fields differs from the header's, or beyond the limits.
  bool next(Row& fields);

  /// Makes next() return the row number `row`, which starts at byte `offset`.
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

/// Writes a table. The file appears under `path` only in finish().
class TsvWriter {
 public:
  TsvWriter(const std::filesystem::path& path, const std::vector<std::string>& columns);
  TsvWriter(const TsvWriter&) = delete;
  TsvWriter& operator=(const TsvWriter&) = delete;

  /// Writes one row: a field per column, quoted if it contains a tab, a quote or a line end.
  void write(const std::vector<std::string>& fields);

  /// Flushes the table to disk and renames it to `path`.
  void finish();

 private:
  void append_field(const std::string& field);
  void flush();

  std::string path_, text_;  // text_: not yet written
  std::size_t columns_;
  io::AtomicFile file_;
  bool finished_ = false;
};

}  // namespace gaze::phyx
