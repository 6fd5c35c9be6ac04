// SPDX-License-Identifier: MIT
// Whole files: read with a limit, and written so that a reader sees either the old or the new file:
// to a temporary file in the same folder, flushed to the disk, then renamed.
//
// A temporary file is named .gaze-0123456789abcdef.tmp: random, so that writers do not collide
// and nobody can plant a link there beforehand; short, so that any target name works; and
// recognisable to remove_leftovers() (folder_lock.hpp). It is locked while it is being written.
#pragma once
#include <fcntl.h>
#include <sys/file.h>
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

/// The text of an errno value; unlike strerror, safe from several threads.
inline std::string errno_text(int code) { return std::generic_category().message(code); }

namespace detail {

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
  /// Closes now; false (with errno) if the system reports lost data.
  bool close() {
    const int fd = fd_;
    fd_ = -1;
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

/// Writes all of `bytes`, in as many calls as needed; false (with errno) on failure.
inline bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

/// The same at the end of a file of `size` bytes, whose size is unchanged on failure.
inline bool append_all(int fd, std::uint64_t size, std::span<const std::byte> bytes) {
  if (write_all(fd, bytes)) return true;
  const int code = errno;
  static_cast<void>(!::ftruncate(fd, static_cast<off_t>(size)));
  errno = code;
  return false;
}

/// Reads until `bytes` is full or the file ends; returns the count read, or -1 (with errno).
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

namespace detail {

/// The folder of a path, including the slash; "" for a bare name.
inline std::string folder_of(const std::string& path) {
  return path.substr(0, path.find_last_of('/') + 1);
}

inline constexpr std::string_view kTemporaryStart = ".gaze-", kTemporaryEnd = ".tmp",
                                  kHexDigits = "0123456789abcdef";
inline constexpr std::size_t kTemporaryDigits = 16;

/// A random name; collides with probability 2^-64.
inline std::string temporary_name() {
  std::uint64_t bits = 0;
  GAZE_CHECK(::getentropy(&bits, sizeof bits) == 0, "write_file",
             "no random numbers: ", errno_text(errno));
  std::string name(kTemporaryStart);
  for (std::size_t i = 0; i < kTemporaryDigits; ++i, bits >>= 4) name += kHexDigits[bits & 15];
  return name.append(kTemporaryEnd);
}
inline bool is_temporary_name(std::string_view name) {
  if (name.size() != kTemporaryStart.size() + kTemporaryDigits + kTemporaryEnd.size()) return false;
  return name.substr(0, kTemporaryStart.size()) == kTemporaryStart &&
         name.substr(name.size() - kTemporaryEnd.size()) == kTemporaryEnd &&
         name.substr(kTemporaryStart.size(), kTemporaryDigits).find_first_not_of(kHexDigits) ==
             std::string_view::npos;
}

/// taken: this open file now has the lock; busy: another open file has it. The system frees it when
/// the file is closed, including when a process dies.
enum class Lock { taken, busy, unsupported };
inline Lock lock_file(int fd) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Lock::busy;
    if (errno != EINTR) return Lock::unsupported;  // a file system without locks
  }
  return Lock::taken;
}

}  // namespace detail

/// A file being written. It appears at `path` only on commit(); without that, it is removed.
class AtomicFile {
 public:
  /// Creates a temporary file beside `path`. Errors: it cannot; a device or pipe is at `path`.
  explicit AtomicFile(std::string path) : path_(std::move(path)), file_(create()) {}
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file unless committed.
  ~AtomicFile() {
    if (!committed_ && file_.get() >= 0) ::unlink(temporary_.c_str());
  }

  /// Appends bytes to the temporary file. Error: a write fails, e.g. the disk is full.
  void write(std::span<const std::byte> bytes) {
    check(detail::write_all(file_.get(), bytes), "cannot write");
  }
  /// Appends text to the temporary file.
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Flushes to the disk and replaces the file at `path`.
  void commit() {
    check(::fsync(file_.get()) == 0, "cannot flush");
    check(::rename(temporary_.c_str(), path_.c_str()) == 0, "cannot rename the finished file");
    committed_ = true;
    // The name is durable only once the folder is flushed; where the file system cannot do that,
    // the file is still complete.
    const std::string folder = detail::folder_of(path_);
    const detail::Descriptor directory(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC));
    if (directory.get() >= 0) ::fsync(directory.get());
  }

 private:
  /// Creates a new locked file. Devices and pipes are not replaced.
  detail::Descriptor create() {
    struct stat status {};
    const bool there = ::lstat(path_.c_str(), &status) == 0;
    GAZE_CHECK(
        !there || S_ISREG(status.st_mode) || S_ISLNK(status.st_mode) || S_ISDIR(status.st_mode),
        "write_file", path_, ": not a regular file");
    for (int tries = 0; tries < 100; ++tries) {
      temporary_ = detail::folder_of(path_) + detail::temporary_name();
      constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
      detail::Descriptor file(::open(temporary_.c_str(), flags, 0666));
      if (file.get() < 0 && errno == EEXIST) continue;
      check(file.get() >= 0, "cannot create");
      // remove_leftovers() may have been faster than the lock: then try another name.
      if (detail::lock_file(file.get()) == detail::Lock::busy) continue;
      check(::fstat(file.get(), &status) == 0, "cannot read its status");
      if (status.st_nlink > 0) return file;
    }
    GAZE_FAIL("write_file", path_, ": cannot create a temporary file beside it");
  }
  void check(bool ok, const char* what) const {
    const int code = errno;
    GAZE_CHECK(ok, "write_file", path_, ": ", what, ": ", errno_text(code));
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
/// The same for bytes as numbers.
inline void write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
  write_file(path, std::as_bytes(bytes));
}
/// The same for text.
inline void write_file(const std::string& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

/// The largest file that read_file() accepts unless told otherwise, 1 GiB.
inline constexpr std::size_t kDefaultMaxFileBytes = std::size_t{1} << 30;

/// A whole regular file; more than `max_bytes` is an Error before memory is allocated.
inline std::string read_file(const std::string& path,
                             std::size_t max_bytes = kDefaultMaxFileBytes) {
  const auto check = [&](bool ok, const char* what) {
    const int code = errno;
    GAZE_CHECK(ok, "read_file", path, ": ", what, ": ", errno_text(code));
  };
  const detail::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  check(file.get() >= 0, "cannot open");
  struct stat status {};
  check(::fstat(file.get(), &status) == 0, "cannot read its status");
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
