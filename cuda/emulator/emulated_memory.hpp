// SPDX-License-Identifier: MIT
// Device memory of the emulator. Included by emulator.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>

#include <sys/mman.h>

#include "cuda/emulator/fibre.hpp"
#include "cuda/host/runtime.hpp"
#include "gaze/core/error.hpp"

#ifdef GAZE_FIBRE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) (static_cast<void>(p), static_cast<void>(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) (static_cast<void>(p), static_cast<void>(n))
#endif

namespace gaze::cuda::emulator {

/// The number in an environment variable, or `otherwise` if it is not set.
inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Device memory: addresses without access, each `size` bytes before the memory that backs it.
/// First-fit allocation from the free pieces, which are ordered by address.
class Memory {
 public:
  static Memory& instance() {
    static auto* memory = new Memory;  // never destroyed: tensors may outlive it
    return *memory;
  }

  void* take(std::size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    bytes = padded(bytes);
    for (auto piece = free_.begin(); piece != free_.end(); ++piece) {
      const auto [at, room] = *piece;
      if (room < bytes) continue;
      free_.erase(piece);
      if (room > bytes) free_[at + bytes] = room - bytes;
      taken_[at] = bytes;
      return first_ + at;
    }
    return nullptr;
  }

  void give(void* device) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found =
        taken_.find(static_cast<std::size_t>(static_cast<std::byte*>(device) - first_));
    if (found == taken_.end()) return;
    auto [at, room] = *found;
    taken_.erase(found);
    auto after = free_.lower_bound(at);
    if (after != free_.end() && after->first == at + room) {
      room += after->second;
      after = free_.erase(after);
    }
    if (after != free_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == at) {
        before->second += room;
        return;
      }
    }
    free_[at] = room;
  }

  /// Host address of an address inside device memory; null for any other.
  void* real(const void* device) const {
    const auto* p = static_cast<const std::byte*>(device);
    return p >= first_ && p < first_ + size_ ? const_cast<std::byte*>(p) + size_ : nullptr;
  }

  MemoryInfo info() {
    const std::lock_guard<std::mutex> lock(mutex_);
    MemoryInfo info{0, size_};
    for (const auto& [at, room] : free_) info.free += room;
    return info;
  }

 private:
  Memory() : size_(padded(number_from("GAZE_EMULATOR_MEMORY", std::uint64_t{512} << 20))) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const p = mmap(nullptr, 2 * size_, PROT_NONE, flags, -1, 0);
    GAZE_CHECK(p != MAP_FAILED, "emulator", "no room for ", size_, " bytes of device memory");
    first_ = static_cast<std::byte*>(p);
    mprotect(first_ + size_, size_, PROT_READ | PROT_WRITE);
    ASAN_POISON_MEMORY_REGION(first_ + size_, size_);
    free_[0] = size_;
  }
  static std::size_t padded(std::size_t bytes) { return (bytes + 255) / 256 * 256; }

  std::mutex mutex_;
  std::byte* first_;
  std::size_t size_;
  std::map<std::size_t, std::size_t> free_, taken_;
};

}  // namespace gaze::cuda::emulator
