// SPDX-License-Identifier: MIT
// Files as streams that are opened once: regular files, which can be read again from any place, and
// for predictions also pipes (`<(zcat said.jsonl.gz)`), which cannot.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <istream>
#include <memory>
#include <span>
#include <streambuf>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::io {

/// Opens a regular file. A pipe, on which opening could wait for ever, a device or a folder is an
/// Error of the operation `where`.
inline std::unique_ptr<std::ifstream> open_regular_file(const std::filesystem::path& path,
                                                        const char* where) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  GAZE_CHECK(std::filesystem::status_known(status) && std::filesystem::exists(status), where,
             path.string(), ": cannot open: ", error.message());
  GAZE_CHECK(std::filesystem::is_regular_file(status), where, path.string(),
             ": not a regular file");
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  GAZE_CHECK(*file, where, path.string(), ": cannot open");
  return file;
}

namespace detail {

/// Reads a file from front to back, in large blocks.
class FileBuffer : public std::streambuf {
 public:
  FileBuffer(const std::string& path, const char* where)
      : path_(path), where_(where), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    check(file_.get() >= 0, "cannot open");
  }

  /// What is read and not yet taken; all there is where that is less than a block.
  std::string_view head() {
    sgetc();
    return {gptr(), static_cast<std::size_t>(egptr() - gptr())};
  }

 protected:
  int_type underflow() override {
    if (gptr() < egptr()) return traits_type::to_int_type(*gptr());
    const auto count = detail::read_all(file_.get(), std::as_writable_bytes(std::span(block_)));
    check(count >= 0, "cannot read");
    setg(block_.data(), block_.data(), block_.data() + count);
    return count == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }

 private:
  void check(bool ok, const char* what) const {
    const int code = errno;
    GAZE_CHECK(ok, where_, path_, ": ", what, ": ", errno_text(code));
  }

  std::string path_;
  const char* where_;
  detail::Descriptor file_;
  std::array<char, 1 << 16> block_;
};

}  // namespace detail

/// A file or a pipe, read once from front to back.
class InputFile : public std::istream {
 public:
  /// `where` is the operation that errors name.
  InputFile(const std::string& path, const char* where)
      : std::istream(nullptr), buffer_(path, where) {
    rdbuf(&buffer_);
  }

  /// The first bytes, which reading still gives: a block, or the whole file where it is shorter.
  std::string_view head() { return buffer_.head(); }

 private:
  detail::FileBuffer buffer_;
};

}  // namespace gaze::io
