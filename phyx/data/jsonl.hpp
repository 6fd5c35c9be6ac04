// SPDX-License-Identifier: MIT
// PhyX's JSONL: one record per line, pictures as files in a folder.
#pragma once
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "phyx/data/fields.hpp"
#include "phyx/data/pictures.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/data/table.hpp"
#include "phyx/data/tsv.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Reads the next line without its line feed; false at the end of the stream. Throws the Error of
/// `place` for a line of over `max_bytes`.
bool read_line(std::istream& stream, std::string& line, std::size_t max_bytes,
               const RecordPlace& place);

/// Reads PhyX's JSONL with one record in memory at a time. `image` names a file in the folder
/// `pictures_at`; by default in the JSONL's folder or its test_image, image or images.
class JsonlLoader {
 public:
  JsonlLoader(const std::filesystem::path& path, LoadOptions options);

  /// The next problem; empty at the end.
  std::optional<Problem> next();

  /// The number of the line that next() read last.
  std::size_t row() const noexcept { return number_; }
  /// Whether pictures are read from files.
  bool pictures_beside() const noexcept { return options_.pictures && !options_.caption; }

 private:
  Problem problem(const io::Json& record, const RecordPlace& place) const;

  std::string name_;
  PictureFolder pictures_;
  LoadOptions options_;
  Form form_;
  std::unique_ptr<std::ifstream> file_;
  std::string line_;
  std::size_t number_ = 0;
};

/// Problems from a file with one JSON object per line; `image` names a file under `folder`. `form`
/// decides whether a record becomes a multiple-choice problem or an open-ended one, whose answer is
/// the right option's text.
std::vector<Problem> load_jsonl(const std::filesystem::path& path,
                                const std::filesystem::path& folder, Form form,
                                TextSetting setting = TextSetting::full, TsvLimits limits = {});

}  // namespace gaze::phyx
