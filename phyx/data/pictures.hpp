// SPDX-License-Identifier: MIT
// Where a row's picture comes from: its own cell, another row's, or a file beside the table.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "phyx/data/fields.hpp"
#include "phyx/data/tsv.hpp"

namespace gaze::phyx {

/// Whether the bytes begin as a PNG or a JPEG does.
bool is_picture(std::span<const std::uint8_t> bytes) noexcept;

/// An `image` cell this short is the index of another row; the smallest PNG needs 92 characters.
inline constexpr std::size_t longest_reference = 64;

/// The only item of a cell that may be a list: "['x.png']" is x.png. The official code knows
/// problems of several pictures; PhyX has none, and neither has a Problem.
std::string single_item(std::string_view cell, std::string_view field, const RecordPlace& place);

/// The picture in an `image` cell, which is base64.
std::vector<std::uint8_t> decode_picture(std::string_view text, const RecordPlace& place);

/// Pictures in files of their own, in the data file's folder or in one of some subfolders. A name
/// that leads out of the folder is an Error, whoever wrote it: an absolute path elsewhere, "..", a
/// symbolic link. Two kinds are let pass: whole paths into the folder, which the official tools
/// write, and links into the folder of the data file itself where that is a link, too, as in the
/// cache of Hugging Face's hub.
class PictureFolder {
 public:
  /// `pictures_at` stands for the data file's folder, unless it is empty.
  PictureFolder(const std::filesystem::path& data_file, const std::filesystem::path& pictures_at,
                std::vector<std::string> subfolders);

  /// The bytes of the picture `name`, which stands in `field`.
  std::vector<std::uint8_t> read(std::string_view name, std::size_t most_bytes,
                                 const RecordPlace& place, std::string_view field) const;

 private:
  std::filesystem::path inside(std::string_view name, const RecordPlace& place,
                               std::string_view field) const;
  std::filesystem::path find(const std::filesystem::path& relative, std::string_view name,
                             const RecordPlace& place, std::string_view field) const;

  std::filesystem::path folder_, data_file_;
  std::vector<std::string> subfolders_;
};

/// Finds the picture of a row by the row's index, wherever in the table it is. It remembers where
/// rows start, not what they hold, so a table of any size streams.
class PictureFinder {
 public:
  PictureFinder(const std::filesystem::path& path, TsvLimits limits)
      : path_(path), limits_(limits) {}

  std::vector<std::uint8_t> find(const std::string& index, const RecordPlace& place);

 private:
  std::filesystem::path path_;
  TsvLimits limits_;
  std::optional<TsvReader> reader_;
  TsvReader::Row row_;
  std::unordered_map<std::string, std::pair<std::uint64_t, std::size_t>> starts_;
  std::uint64_t scanned_offset_ = 0;
  std::size_t scanned_row_ = 0;
};

}  // namespace gaze::phyx
