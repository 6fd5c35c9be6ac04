// SPDX-License-Identifier: MIT
// Storage: the bytes under one or more tensors, with a version counter that every in-place change
// raises, so that backward can tell when a value it needs was overwritten.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "gaze/core/device.hpp"
#include "gaze/core/error.hpp"

namespace gaze {

/// How a device gives and takes back memory.
template <class Device>
struct Allocator;

/// Keeps freed blocks by rounded size: training asks for the same sizes in every step.
template <>
struct Allocator<Cpu> {
  static void* allocate(std::size_t bytes) {
    Cache& c = cache();
    const std::size_t size = rounded(bytes);
    {
      std::lock_guard<std::mutex> lock(c.mutex);
      c.in_use += size;
      if (c.in_use > c.peak) c.peak = c.in_use;
      auto& blocks = c.free[size];
      if (!blocks.empty()) {
        void* p = blocks.back();
        blocks.pop_back();
        c.kept -= size;
        return p;
      }
    }
    try {
      return ::operator new (size, std::align_val_t{64});
    } catch (const std::bad_alloc&) {
      locked([size](Cache& c) { return c.in_use -= size; });
      GAZE_FAIL("allocate", "out of memory: asked for ", bytes, " bytes");
    }
  }

  static void free(void* p, std::size_t bytes) noexcept {
    Cache& c = cache();
    const std::size_t size = rounded(bytes);
    std::lock_guard<std::mutex> lock(c.mutex);
    c.in_use -= size;
    try {
      if (size <= c.limit && c.kept <= c.limit - size) {
        c.free[size].push_back(p);
        c.kept += size;
        return;
      }
    } catch (const std::bad_alloc&) {  // no room to note the block, so it is not kept
    }
    ::operator delete (p, std::align_val_t{64});
  }

  /// Limits the bytes of freed blocks that are kept (0: none). When more are kept already, all of
  /// them go back to the system. Without a call there is no limit.
  static void keep_at_most(std::size_t bytes) {
    Cache& c = cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    c.limit = bytes;
    if (c.kept <= bytes) return;
    for (auto& [size, blocks] : c.free)
      for (void* p : blocks) ::operator delete (p, std::align_val_t{64});
    c.free.clear();
    c.kept = 0;
  }

  /// Largest number of bytes in use at once since the start or the last reset_peak().
  static std::size_t peak() {
    return locked([](const Cache& c) { return c.peak; });
  }
  static std::size_t in_use() {
    return locked([](const Cache& c) { return c.in_use; });
  }
  static std::size_t kept() {
    return locked([](const Cache& c) { return c.kept; });
  }
  static void reset_peak() {
    locked([](Cache& c) { return c.peak = c.in_use; });
  }

 private:
  struct Cache {
    std::mutex mutex;
    std::map<std::size_t, std::vector<void*>> free;
    std::size_t in_use = 0, peak = 0, kept = 0;
    std::size_t limit = static_cast<std::size_t>(-1);
  };
  // Never destroyed: tensors with static lifetime may be freed after it would be.
  static Cache& cache() {
    static Cache* c = new Cache;
    return *c;
  }
  template <class Body>
  static std::size_t locked(const Body& body) {
    Cache& c = cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    return body(c);
  }
  /// Up to a quarter of a power of two is wasted, so that nearly equal sizes share blocks.
  static std::size_t rounded(std::size_t bytes) {
    if (bytes <= 256) return 256;
    std::size_t step = 64;
    while (step * 8 < bytes) step *= 2;
    return (bytes + step - 1) / step * step;
  }
};

template <class Device>
class Storage {
 public:
  explicit Storage(std::size_t bytes) : data_(Allocator<Device>::allocate(bytes)), bytes_(bytes) {}
  ~Storage() { Allocator<Device>::free(data_, bytes_); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t version() const { return version_; }
  void changed() { ++version_; }

 private:
  void* data_;
  std::size_t bytes_;
  std::uint64_t version_ = 0;
};

}  // namespace gaze
