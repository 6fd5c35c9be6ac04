// SPDX-License-Identifier: MIT
// Whole files: read with a limit, written so that a reader sees the old file or the new one and
// never a part: into a temporary file of the same folder, flushed to the disk, then renamed.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "gaze/core/error.hpp"

namespace gaze::io {

namespace detail {

/// The text of an errno value; unlike strerror, safe from several threads.
inline std::string errno_text(int code) { return std::generic_category().message(code); }

/// An open file that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  /// Closes now; false (with errno) where the system reports that data was lost.
  bool close() {
    const int fd = fd_;
    fd_ = -1;
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

/// Writes all of `bytes`, however many calls it takes; false (with errno) where it cannot.
inline bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

/// Reads until `bytes` is full or the file ends; the count read, or -1 (with errno).
inline std::ptrdiff_t read_all(int fd, std::span<std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<std::ptrdiff_t>(done);
}

}  // namespace detail

/// A file in the making. Nothing is seen under `path` before commit(); without it, nothing stays.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path)
      : path_(std::move(path)), temporary_(temporary_name()), file_(create(temporary_)) {
    check(file_.get() >= 0, "cannot create");
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (!committed_ && file_.get() >= 0) ::unlink(temporary_.c_str());
  }

  void write(std::span<const std::byte> bytes) {
    check(detail::write_all(file_.get(), bytes), "cannot write");
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Flushes to the disk and takes the place of what was at `path`.
  void commit() {
    check(::fsync(file_.get()) == 0, "cannot flush");
    check(::rename(temporary_.c_str(), path_.c_str()) == 0, "cannot rename the finished file");
    committed_ = true;
    // The name is on the disk only once the folder is; not every file system can do that, and
    // where it cannot, the file is whole all the same.
    const std::size_t slash = path_.find_last_of('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    const detail::Descriptor directory(::open(folder.c_str(), O_RDONLY | O_CLOEXEC));
    if (directory.get() >= 0) ::fsync(directory.get());
  }

 private:
  static int create(const std::string& name) {
    return ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  /// No other process has its number, no other file that is being written its address.
  std::string temporary_name() const {
    const auto address = reinterpret_cast<std::uintptr_t>(this);
    return path_ + "." + std::to_string(::getpid()) + "." + std::to_string(address) + ".tmp";
  }
  void check(bool ok, const char* what) const {
    const int code = errno;
    GAZE_CHECK(ok, "write_file", path_, ": ", what, ": ", detail::errno_text(code));
  }

  std::string path_, temporary_;
  detail::Descriptor file_;
  bool committed_ = false;
};

/// Writes a whole file, atomically.
inline void write_file(const std::string& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
  write_file(path, std::as_bytes(bytes));
}
inline void write_file(const std::string& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

inline constexpr std::size_t kDefaultMaxFileBytes = std::size_t{1} << 30;

/// A whole regular file; one of more than `max_bytes` is an Error before memory is taken.
inline std::string read_file(const std::string& path,
                             std::size_t max_bytes = kDefaultMaxFileBytes) {
  const auto check = [&](bool ok, const char* what) {
    const int code = errno;
    GAZE_CHECK(ok, "read_file", path, ": ", what, ": ", detail::errno_text(code));
  };
  const detail::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  check(file.get() >= 0, "cannot open");
  struct stat status {};
  check(::fstat(file.get(), &status) == 0, "cannot look at it");
  GAZE_CHECK(S_ISREG(status.st_mode), "read_file", path, ": not a regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  GAZE_CHECK(size <= max_bytes, "read_file", path, ": ", size, " bytes, more than the ", max_bytes,
             " allowed");
  std::string text(static_cast<std::size_t>(size), '\0');
  const std::ptrdiff_t done =
      detail::read_all(file.get(), std::as_writable_bytes(std::span(text.data(), text.size())));
  check(done >= 0, "cannot read");
  GAZE_CHECK(static_cast<std::size_t>(done) == text.size(), "read_file", path, ": ends after ",
             done, " of ", size, " bytes");
  return text;
}

}  // namespace gaze::io
