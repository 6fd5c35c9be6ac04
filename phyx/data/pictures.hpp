// SPDX-License-Identifier: MIT
// A row's picture: in its own cell, in another row's, or in a file.
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

/// Whether the bytes start with the signature of PNG or JPEG.
bool is_picture(std::span<const std::uint8_t> bytes) noexcept;

/// An `image` cell up to this length is the index of another row; the smallest PNG has 92
/// characters in base64.
inline constexpr std::size_t longest_reference = 64;

/// The single item of a cell that may be a list: "['x.png']" is x.png. The official code supports
/// several pictures per problem; PhyX's data have none, and Problem stores one.
std::string single_item(std::string_view cell, std::string_view field, const RecordPlace& place);

/// Decodes the base64 of a picture in the cell `field`.
std::vector<std::uint8_t> decode_picture(std::string_view text, const RecordPlace& place,
                                         std::string_view field = "image");

/// Pictures in separate files, in the data file's folder or in one of `subfolders`. A name that
/// leads out of the folder is an Error: an absolute path elsewhere, "..", a symbolic link. Two
/// exceptions: absolute paths into the folder, which the official tools write, and links to the
/// folder of the real data file if the data file is a link too, as in Hugging Face's hub cache.
class PictureFolder {
 public:
  /// `pictures_at` replaces the data file's folder unless it is empty.
  PictureFolder(const std::filesystem::path& data_file, const std::filesystem::path& pictures_at,
                std::vector<std::string> subfolders);

  /// The bytes of the picture that `field` names `name`.
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

/// Finds pictures by the index of their row, anywhere in the table. Stores where rows start, not
/// their contents, so a table of any size streams.
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
