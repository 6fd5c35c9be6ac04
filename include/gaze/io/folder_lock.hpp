// SPDX-License-Identifier: MIT
// One writer per folder. A process that writes several files to a folder holds its lock, so that
// two processes never mix their files and logs. The lock is on an open file: the system frees it
// when the process ends, even by a crash.
#pragma once
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"

namespace gaze::io {

/// Removes the temporary files that killed processes left in a folder (not in subfolders). Files
/// being written are locked and kept.
inline void remove_leftovers(const std::string& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (!detail::is_temporary_name(it->path().filename().native())) continue;
    const std::string& path = it->path().native();
    constexpr int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const detail::Descriptor file(::open(path.c_str(), flags));
    if (file.get() >= 0 && detail::lock_file(file.get()) == detail::Lock::taken)
      ::unlink(path.c_str());
  }
}

/// Creates a folder if needed and locks it for this process; an Error if another process has it.
/// Also removes leftovers in it. The lock file is .gaze.lock, with the process's number in it; a
/// killed process leaves it behind, but unlocked. On a file system without locks there is no
/// protection.
class FolderLock {
 public:
  /// Locks the folder. Errors: another process has it, or it cannot be created.
  explicit FolderLock(const std::string& folder)
      : path_(folder + "/.gaze.lock"), file_(take(folder)) {
    remove_leftovers(folder);
  }
  FolderLock(FolderLock&&) = default;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  FolderLock& operator=(FolderLock&&) = delete;
  /// Releases the lock and removes its file.
  ~FolderLock() {
    if (file_.get() >= 0) ::unlink(path_.c_str());  // still held
  }

 private:
  detail::Descriptor take(const std::string& folder) const {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    GAZE_CHECK(!error, "lock", printable(folder, detail::kShownPath),
               ": cannot create the folder: ", error.message());
    for (;;) {
      constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
      detail::Descriptor file(::open(path_.c_str(), flags, 0666));
      const int code = errno;
      GAZE_CHECK(file.get() >= 0, "lock", path_, ": cannot open: ", errno_text(code));
      GAZE_CHECK(detail::lock_file(file.get()) != detail::Lock::busy, "lock", folder, ": ",
                 owner(file.get()), " is writing to this folder");
      // The previous owner may have removed the file: the locked file must still be the one there.
      struct stat ours {
      }, there{};
      if (::fstat(file.get(), &ours) == 0 && ::lstat(path_.c_str(), &there) == 0 &&
          ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) {
        const std::string number = std::to_string(::getpid()) + "\n";
        if (::ftruncate(file.get(), 0) == 0)  // the number is for people: it may be missing
          detail::write_all(file.get(), std::as_bytes(std::span(number.data(), number.size())));
        return file;
      }
    }
  }

  /// "process 123" if the lock file has its number, else "another process".
  static std::string owner(int file) {
    char text[16];
    const ssize_t n = ::pread(file, text, sizeof text, 0);
    pid_t number = 0;
    std::from_chars(text, text + std::max<ssize_t>(n, 0), number);
    return number > 0 ? concat("process ", number) : "another process";
  }

  std::string path_;
  detail::Descriptor file_;
};

}  // namespace gaze::io
