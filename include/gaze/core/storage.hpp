// SPDX-License-Identifier: MIT
// Storage: the bytes under one or more tensors, with a version counter that every in-place change
// raises, so that backward can tell when a value it needs was overwritten.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "gaze/core/block_cache.hpp"
#include "gaze/core/device.hpp"
#include "gaze/core/error.hpp"
#include "gaze/core/fork.hpp"
#include "gaze/core/memory_resource.hpp"

namespace gaze {

/// How a device gives and takes back memory.
template <class Device>
struct Allocator;

namespace detail {

/// The processor's memory, from a MemoryResource.
struct HostMemory {
  static constexpr std::size_t alignment = 64;  // of every block, in bytes

  MemoryResource* resource = program_memory();

  void* take(std::size_t bytes) {
    try {
      return resource->allocate(bytes, alignment);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  void give(void* p, std::size_t bytes) noexcept { resource->deallocate(p, bytes, alignment); }
};

}  // namespace detail

/// Every allocator has these functions but use(); copy_in and copy_out take host memory and the
/// device's. Freed blocks are kept, see BlockCache.
template <>
struct Allocator<Cpu> {
  static constexpr std::size_t alignment = detail::HostMemory::alignment;

  static void* allocate(std::size_t bytes) {
    void* const p = cache().allocate(bytes);
    GAZE_CHECK(p, "allocate", "out of memory: asked for ", bytes, " bytes");
    return p;
  }
  static void free(void* p, std::size_t bytes) noexcept { cache().free(p, bytes); }
  static void copy_in(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  static void copy_out(void* to, const void* from, std::size_t bytes) { copy_in(to, from, bytes); }

  /// Takes blocks from `resource` from now on (null: from the program's own memory again). It must
  /// outlive every tensor and make none itself. Blocks return to where they came from, so no
  /// tensor may be alive now (an error says how many bytes are in use).
  static void use(MemoryResource* resource) {
    cache().use(resource ? detail::HostMemory{resource} : detail::HostMemory{});
  }

  static void keep_at_most(std::size_t bytes) { cache().keep_at_most(bytes); }
  static std::size_t peak() { return cache().peak(); }
  static std::size_t in_use() { return cache().in_use(); }
  static std::size_t kept() { return cache().kept(); }
  static void reset_peak() { cache().reset_peak(); }
  static constexpr std::size_t rounded(std::size_t bytes) { return Cache::rounded(bytes); }

 private:
  using Cache = BlockCache<detail::HostMemory>;
  // Never destroyed: tensors with static lifetime may be freed after it would be.
  static Cache& cache() {
    static Cache* const c = [] {
      constexpr auto release = [] { cache().unlock(); };
      detail::at_fork([] { cache().lock(); }, release, release);
      return new Cache;
    }();
    return *c;
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
