// SPDX-License-Identifier: MIT
// A table's rows as problems, one in memory at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "phyx/data/fields.hpp"
#include "phyx/data/pandas_columns.hpp"
#include "phyx/data/pictures.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/data/tsv.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// How a file of problems is read.
struct LoadOptions {
  std::optional<Form> form;         // else from the file's name, see form_of_path
  bool keep_without_image = false;  // the official code drops rows without a picture
  // false: the pictures are passed over unread, and every row is kept. So a table of any size needs
  // no more memory than its texts.
  bool pictures = true;
  // Open-ended truths as the official scorer sees them after pandas: a missing one is "nan", and
  // in an all-numeric column "12" may become "12.0". Otherwise they stay as written.
  bool pandas_answers = false;
  // JSONL only: what becomes of a record. A table's `question` is the complete prompt already.
  TextSetting text = TextSetting::simplified;
  bool caption = false;               // the caption goes before the text, in place of the picture
  std::filesystem::path pictures_at;  // else the file's own folder, see PictureFolder
  TsvLimits limits;
};

struct LoadResult {
  std::vector<Problem> problems;
  std::size_t dropped = 0;  // rows without a picture
};

/// Turns a table's rows into problems.
class TableLoader {
 public:
  TableLoader(const std::filesystem::path& path, const LoadOptions& options);

  /// The next problem; nothing at the end. Counts the rows that it passes over.
  std::optional<Problem> next();

  std::size_t dropped() const noexcept { return dropped_; }
  /// The row that next() gave.
  std::size_t row() const noexcept { return reader_.row(); }
  /// Its cells, and the names of the columns.
  const TsvReader::Row& cells() const noexcept { return row_; }
  const TsvReader::Row& columns() const noexcept { return reader_.columns(); }
  /// Its cell in column `name`, as written; empty when there is no such column.
  std::string_view cell(const char* name) const;
  /// Whether rows may name files for their pictures.
  bool pictures_beside() const noexcept;

 private:
  void require(const char* name) const;
  void infer_answers();
  std::string_view present(const char* name) const;
  std::vector<std::uint8_t> picture(const RecordPlace& place);
  void fill(Problem& problem, const RecordPlace& place) const;
  void fill_answer(Problem& problem, const RecordPlace& place) const;
  void fill_extra(Problem& problem, const RecordPlace& place) const;

  std::filesystem::path path_;
  LoadOptions options_;
  Form form_;
  bool with_pictures_;
  TsvReader reader_;
  PictureFinder pictures_;
  PictureFolder beside_;
  ColumnType answers_;
  TsvReader::Row row_;
  std::size_t dropped_ = 0;
};

}  // namespace gaze::phyx
