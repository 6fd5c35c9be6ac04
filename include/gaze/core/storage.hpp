// SPDX-License-Identifier: MIT
// Storage: the bytes under one or more tensors, with a version counter that every in-place change
// raises, so that backward can tell when a value it needs was overwritten.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory_resource>
#include <mutex>
#include <new>
#include <vector>

#include "gaze/core/device.hpp"
#include "gaze/core/error.hpp"

namespace gaze {

/// How a device gives and takes back memory.
template <class Device>
struct Allocator;

/// Keeps freed blocks by rounded size: training asks for the same sizes in every step. With those
/// in use they take at most an eighth more than the most that was ever in use. Blocks come from a
/// std::pmr::memory_resource, the program's own by default.
template <>
struct Allocator<Cpu> {
 private:
  /// Freed blocks of one size, and the number of the last request for that size.
  struct Blocks {
    std::vector<void*> blocks;
    std::uint64_t asked = 0;
  };
  struct Cache {
    std::mutex mutex;
    std::pmr::memory_resource* resource = std::pmr::new_delete_resource();
    std::map<std::size_t, Blocks> free;
    std::uint64_t requests = 0;
    std::size_t in_use = 0, peak = 0, kept = 0;
    std::size_t limit = static_cast<std::size_t>(-1);
  };
  // Never destroyed: tensors with static lifetime may be freed after it would be.
  static Cache& cache() {
    static Cache* c = new Cache;
    return *c;
  }
  template <class Body>
  static auto locked(const Body& body) {
    Cache& c = cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    return body(c);
  }

 public:
  static constexpr std::size_t alignment = 64;  // of every block, in bytes

  static void* allocate(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    if (void* const p = kept_block(size)) return p;
    void* const p = new_block(size, bytes);
    locked([size](Cache& c) { count(c, size); });
    return p;
  }

  static void free(void* p, std::size_t bytes) noexcept {
    const std::size_t size = rounded(bytes);
    Cache& c = cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    c.in_use -= size;
    try {
      if (size <= c.limit && c.kept <= c.limit - size) {
        c.free[size].blocks.push_back(p);
        c.kept += size;
        return;
      }
    } catch (const std::bad_alloc&) {  // no room to note the block, so it is not kept
    }
    c.resource->deallocate(p, size, alignment);
  }

  /// Takes blocks from `resource` from now on (null: from the program's own memory again). It must
  /// outlive every tensor and be safe to call from several threads. Blocks return to where they
  /// came from, so no tensor may be alive now (an error says how many bytes are in use), and no
  /// other thread may be making one.
  static void use(std::pmr::memory_resource* resource) {
    locked([resource](Cache& c) {
      GAZE_CHECK(c.in_use == 0, "Allocator", "the memory of ", c.in_use,
                 " bytes of tensors cannot be replaced while they are in use");
      give_back(c);
      c.resource = resource ? resource : std::pmr::new_delete_resource();
    });
  }

  /// Limits the bytes of freed blocks that are kept (0: none). When more are kept already, all of
  /// them go back to where they came from. Without a call there is no limit.
  static void keep_at_most(std::size_t bytes) {
    locked([bytes](Cache& c) {
      c.limit = bytes;
      if (c.kept > bytes) give_back(c);
    });
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
    locked([](Cache& c) { c.peak = c.in_use; });
  }

  /// Bytes that a block of `bytes` takes. Up to a quarter is wasted, so that nearly equal sizes
  /// share blocks.
  static constexpr std::size_t rounded(std::size_t bytes) {
    if (bytes <= 256) return 256;
    std::size_t step = alignment;
    while (step * 8 < bytes) step *= 2;
    return (bytes + step - 1) / step * step;
  }

 private:
  /// A freed block of this size, or null; then there is room for a new one.
  static void* kept_block(std::size_t size) {
    return locked([size](Cache& c) -> void* {
      Blocks& own = c.free[size];
      own.asked = ++c.requests;
      if (own.blocks.empty()) {
        make_room(c, size);
        return nullptr;
      }
      void* const p = own.blocks.back();
      own.blocks.pop_back();
      c.kept -= size;
      count(c, size);
      return p;
    });
  }

  /// Gives back freed blocks, those of the size first that was not asked for the longest, until
  /// with a new block no more is held than an eighth above the most that was ever in use.
  static void make_room(Cache& c, std::size_t size) {
    const std::size_t most = std::max(c.peak, c.in_use + size);
    while (c.kept > 0 && c.in_use + c.kept + size > most + most / 8) {
      auto oldest = c.free.end();
      for (auto it = c.free.begin(); it != c.free.end(); ++it)
        if (!it->second.blocks.empty() &&
            (oldest == c.free.end() || it->second.asked < oldest->second.asked))
          oldest = it;
      c.resource->deallocate(oldest->second.blocks.back(), oldest->first, alignment);
      oldest->second.blocks.pop_back();
      c.kept -= oldest->first;
    }
  }

  static void count(Cache& c, std::size_t size) {
    c.in_use += size;
    c.peak = std::max(c.peak, c.in_use);
  }

  /// From the resource; where it has no more, freed blocks go back to it before a second try.
  static void* new_block(std::size_t size, std::size_t bytes) {
    std::pmr::memory_resource* const from = locked([](const Cache& c) { return c.resource; });
    for (const bool again : {false, true}) {
      try {
        return from->allocate(size, alignment);
      } catch (const std::bad_alloc&) {
        if (!again) locked([](Cache& c) { give_back(c); });
      }
    }
    GAZE_FAIL("allocate", "out of memory: asked for ", bytes, " bytes");
  }

  static void give_back(Cache& c) {
    for (auto& [size, kept] : c.free) {
      for (void* p : kept.blocks) c.resource->deallocate(p, size, alignment);
      kept.blocks.clear();
    }
    c.kept = 0;
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
