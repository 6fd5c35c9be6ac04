// SPDX-License-Identifier: MIT
// Reads a table's rows as problems, one at a time.
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
  std::optional<Form> form;         // default: by the file's name (form_of_path)
  bool keep_without_image = false;  // the official code drops rows without a picture
  // false: pictures are skipped unread and every row is kept, so memory is bounded by the texts.
  bool pictures = true;
  // Open-ended answers as the official scorer gets them from pandas: a missing one is "nan", and in
  // a numeric column "12" may become "12.0". false: as written.
  bool pandas_answers = false;
  // JSONL only, to build the prompt; a table's `question` is the complete prompt.
  TextSetting text = TextSetting::simplified;
  bool caption = false;            // the caption replaces the picture
  bool pictures_optional = false;  // of one's own rows
  bool own = false;                // rows of one's own data (OwnDataLoader) instead of PhyX's files
  std::filesystem::path pictures_at;  // default: the file's folder (PictureFolder)
  TsvLimits limits;
};

struct LoadResult {
  std::vector<Problem> problems;
  std::size_t dropped = 0;  // rows without a picture
};

/// Converts a table's rows to problems.
class TableLoader {
 public:
  TableLoader(const std::filesystem::path& path, const LoadOptions& options);

  /// The next problem; empty at the end. Counts skipped rows.
  std::optional<Problem> next();

  std::size_t dropped() const noexcept { return dropped_; }
  /// The number of the current row.
  std::size_t row() const noexcept { return reader_.row(); }
  /// Its cells, and the column names.
  const TsvReader::Row& cells() const noexcept { return row_; }
  const TsvReader::Row& columns() const noexcept { return reader_.columns(); }
  /// Its cell in column `name`, as written; empty if there is no such column.
  std::string_view cell(const char* name) const;
  /// Whether pictures may be in separate files.
  bool pictures_beside() const noexcept;

 private:
  void require(const char* name) const;
  void infer_answers();
  std::string_view present(const char* name) const;
  std::vector<std::uint8_t> picture(const RecordPlace& place);
  void fill(Problem& problem, const RecordPlace& place) const;
  void fill_answer(Problem& problem, const RecordPlace& place) const;
  void fill_extra(Problem& problem, const RecordPlace& place) const;
  /// A column with true or false; `otherwise` if it is absent or empty.
  bool flag(const char* column, bool otherwise, const RecordPlace& place) const;

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
