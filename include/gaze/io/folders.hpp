// SPDX-License-Identifier: MIT
// File-system operations that fail with an Error naming the path instead of the standard library's
// exceptions: a name that is too long, a folder without permission.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"

namespace gaze::io {

namespace detail {
inline constexpr std::size_t kShownPath = 1000;  // bytes; a longer path is itself the fault
}

/// Whether `path` exists.
inline bool exists(const std::string& path) {
  std::error_code error;
  const bool found = std::filesystem::exists(path, error);
  GAZE_CHECK(!error, "exists", printable(path, detail::kShownPath),
             ": cannot read its status: ", error.message());
  return found;
}

/// Creates a folder and its parents if they do not exist.
inline void make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  GAZE_CHECK(!error, "make_folders", printable(path, detail::kShownPath),
             ": cannot create the folder: ", error.message());
}

/// Removes a file if it exists.
inline void remove_file(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  GAZE_CHECK(!error, "remove_file", printable(path, detail::kShownPath),
             ": cannot remove it: ", error.message());
}

}  // namespace gaze::io
