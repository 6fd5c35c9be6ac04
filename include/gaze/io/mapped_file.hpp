// SPDX-License-Identifier: MIT
// A whole file as read-only memory (mmap): the system reads a page of it when it is first touched
// and may drop it again when memory is short, because the file has the same bytes.
//
// The file must stay as it is while it is mapped. If another process shortens it, touching what is
// beyond its new end kills this process (signal SIGBUS); if bytes are overwritten in place, they
// may change here. Replacing a file by renaming another one over it, as AtomicFile and downloads
// do, affects neither: the mapping keeps the old file.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::io {

/// The first `size` bytes of an open file. The mapping lasts as long as this object, also after the
/// descriptor is closed.
class MappedFile {
 public:
  /// `size` is positive and at most the file's; `path` names the file in errors.
  MappedFile(int descriptor, std::uint64_t size, const std::string& path)
      : size_(static_cast<std::size_t>(size)) {
    GAZE_CHECK(size <= std::numeric_limits<std::size_t>::max(), "map", path, ": ", size,
               " bytes are more than this system can address");
    start_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int code = errno;
    GAZE_CHECK(start_ != MAP_FAILED, "map", path, ": cannot map ", size,
               " bytes into memory: ", errno_text(code));
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { ::munmap(start_, size_); }  ///< ends the mapping

  /// The mapped bytes.
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(start_), size_};
  }

 private:
  void* start_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gaze::io
