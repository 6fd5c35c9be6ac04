// SPDX-License-Identifier: MIT
// Decoding, locating and checking pictures.
#include "phyx/data/pictures.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/base64.hpp"
#include "phyx/data/prompt.hpp"

namespace gaze::phyx {

bool is_picture(std::span<const std::uint8_t> bytes) noexcept {
  static constexpr std::array<std::uint8_t, 8> png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  static constexpr std::array<std::uint8_t, 3> jpeg = {0xFF, 0xD8, 0xFF};
  const auto starts_with = [&](std::span<const std::uint8_t> magic) {
    return bytes.size() > magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
  };
  return starts_with(png) || starts_with(jpeg);
}

std::string single_item(std::string_view cell, std::string_view field, const RecordPlace& place) {
  if (!cell.starts_with('[')) return std::string(cell);
  if (std::count(cell.begin(), cell.end(), ',') > 1)  // a trailing comma is allowed
    place.fail(field, "a list of several pictures; a problem has one");
  const auto items = parse_list(cell);
  if (items.size() != 1) place.fail(field, "a list of several pictures; a problem has one");
  return items.front();
}

std::vector<std::uint8_t> decode_picture(std::string_view text, const RecordPlace& place,
                                         std::string_view field) {
  std::vector<std::uint8_t> bytes;
  try {
    bytes = io::base64_decode(text);
  } catch (const Error& error) {
    const std::string_view what = error.what();  // "[gaze::base64_decode] not base64 at …"
    place.fail(field, std::string(what.substr(what.find("] ") + 2)));
  }
  place.check(is_picture(bytes), field, "not a PNG or JPEG");
  return bytes;
}

namespace {

// Both paths must be canonical.
bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto end = std::mismatch(path.begin(), path.end(), folder.begin(), folder.end()).second;
  return !folder.empty() && end == folder.end();
}

}  // namespace

PictureFolder::PictureFolder(const std::filesystem::path& data_file,
                             const std::filesystem::path& pictures_at,
                             std::vector<std::string> subfolders)
    : folder_(pictures_at.empty() ? data_file.parent_path() : pictures_at),
      data_file_(data_file),
      subfolders_(std::move(subfolders)) {
  if (folder_.empty()) folder_ = ".";
}

std::vector<std::uint8_t> PictureFolder::read(std::string_view name, std::size_t most_bytes,
                                              const RecordPlace& place,
                                              std::string_view field) const {
  const std::filesystem::path path = find(inside(name, place, field), name, place, field);
  std::string text;
  try {
    text = io::read_file(path.string(), most_bytes);
  } catch (const Error& error) {
    const std::string_view what = error.what();
    place.fail(field,
               "cannot read " + shown_text(name) + std::string(what.substr(what.rfind(": "))));
  }
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  place.check(is_picture(bytes), field, "not a PNG or JPEG");
  return bytes;
}

// `name` relative to the folder.
std::filesystem::path PictureFolder::inside(std::string_view name, const RecordPlace& place,
                                            std::string_view field) const {
  std::error_code error;
  std::filesystem::path relative(name);
  if (relative.is_absolute())
    relative = relative.lexically_normal().lexically_relative(
        std::filesystem::absolute(folder_, error).lexically_normal());
  bool good = !error && !relative.empty() && name.find('\0') == name.npos;
  for (const auto& part : relative) good = good && part != "..";
  if (!good) place.fail(field, "outside the folder: " + shown_text(name));
  return relative;
}

// The canonical path of the file.
std::filesystem::path PictureFolder::find(const std::filesystem::path& relative,
                                          std::string_view name, const RecordPlace& place,
                                          std::string_view field) const {
  std::error_code error;
  std::filesystem::path path = folder_ / relative;
  for (const std::string& subfolder : subfolders_)
    if (!std::filesystem::exists(path, error)) path = folder_ / subfolder / relative;
  const auto real = std::filesystem::canonical(path, error);
  if (error) place.fail(field, "cannot read " + shown_text(name) + ": " + error.message());
  const auto store = std::filesystem::canonical(data_file_, error).parent_path();
  if (!is_below(real, std::filesystem::canonical(folder_, error)) && !is_below(real, store))
    place.fail(field, "a symbolic link to outside the folder: " + shown_text(name));
  return real;
}

std::vector<std::uint8_t> PictureFinder::find(const std::string& index, const RecordPlace& place) {
  if (!reader_) reader_.emplace(path_, limits_);
  const std::size_t index_at = reader_->column("index"), image_at = reader_->column("image");
  auto known = starts_.find(index);
  if (known != starts_.end()) {
    reader_->seek(known->second.first, known->second.second);
    reader_->next(row_);
  } else {
    if (scanned_row_ > 0) {  // continue after the last scanned row
      reader_->seek(scanned_offset_, scanned_row_);
      reader_->next(row_);
    }
    do {
      if (!reader_->next(row_))
        place.fail("image", "refers to a missing row: " + shown_text(index));
      scanned_offset_ = reader_->row_offset();
      scanned_row_ = reader_->row();
      starts_.try_emplace(row_[index_at], scanned_offset_, scanned_row_);
    } while (row_[index_at] != index);
  }
  const std::string image = single_item(row_[image_at], "image", place);
  if (image.size() <= longest_reference)
    place.fail("image", "refers to row " + shown_text(index) + ", which has no picture of its own");
  return decode_picture(image, place);
}

}  // namespace gaze::phyx
