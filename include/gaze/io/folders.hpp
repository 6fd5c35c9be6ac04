// SPDX-License-Identifier: MIT
// Questions about files and folders whose failures are an Error with the path, where the standard
// library throws its own exceptions: a name that is too long, a folder that may not be entered.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"

namespace gaze::io {

namespace detail {
inline constexpr std::size_t kShownPath = 1000;  // bytes; a longer one is what is wrong with it
}

/// Whether there is something at `path`.
inline bool exists(const std::string& path) {
  std::error_code error;
  const bool found = std::filesystem::exists(path, error);
  GAZE_CHECK(!error, "exists", printable(path, detail::kShownPath),
             ": cannot look at it: ", error.message());
  return found;
}

/// Creates a folder and those above it, unless they are there.
inline void make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  GAZE_CHECK(!error, "make_folders", printable(path, detail::kShownPath),
             ": cannot create the folder: ", error.message());
}

/// Removes a file, if it is there.
inline void remove_file(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  GAZE_CHECK(!error, "remove_file", printable(path, detail::kShownPath),
             ": cannot remove it: ", error.message());
}

}  // namespace gaze::io
