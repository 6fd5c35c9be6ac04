// SPDX-License-Identifier: MIT
// Storage: the bytes of one or more tensors, with a version counter that every in-place change
// increments, so that backward detects overwritten values.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "gaze/core/block_cache.hpp"
#include "gaze/core/device.hpp"
#include "gaze/core/error.hpp"
#include "gaze/core/fork.hpp"
#include "gaze/core/memory_resource.hpp"

namespace gaze {

/// A device's allocator.
template <class Device>
struct Allocator;

namespace detail {

/// CPU memory, from a MemoryResource.
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

/// Every allocator has these functions except use(); copy_in and copy_out copy between host and
/// device memory. Freed blocks are cached, see BlockCache.
template <>
struct Allocator<Cpu> {
  static constexpr std::size_t alignment = detail::HostMemory::alignment;

  /// At least `bytes` bytes, aligned. Error: out of memory.
  static void* allocate(std::size_t bytes) {
    void* const p = cache().allocate(bytes);
    GAZE_CHECK(p, "allocate", "out of memory: asked for ", bytes, " bytes");
    return p;
  }
  /// Takes back a block of allocate(bytes).
  static void free(void* p, std::size_t bytes) noexcept { cache().free(p, bytes); }
  /// Copies `bytes` bytes from host memory.
  static void copy_in(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  /// Copies `bytes` bytes to host memory; waits for the device.
  static void copy_out(void* to, const void* from, std::size_t bytes) { copy_in(to, from, bytes); }

  /// Allocates from `resource` (null: the program's own memory). It must outlive every tensor and
  /// not create any itself. Blocks return to their source, so no tensor may be alive now (an error
  /// reports the bytes in use).
  static void use(MemoryResource* resource) {
    cache().use(resource ? detail::HostMemory{resource} : detail::HostMemory{});
  }

  /// See BlockCache::keep_at_most().
  static void keep_at_most(std::size_t bytes) { cache().keep_at_most(bytes); }
  static std::size_t peak() {
    return cache().peak();
  }  ///< the most bytes in use since reset_peak()
  static std::size_t in_use() { return cache().in_use(); }  ///< bytes in use
  static std::size_t kept() { return cache().kept(); }      ///< bytes of cached blocks
  static void reset_peak() { cache().reset_peak(); }        ///< starts peak() again
  /// The block size for `bytes`.
  static constexpr std::size_t rounded(std::size_t bytes) { return Cache::rounded(bytes); }

 private:
  using Cache = BlockCache<detail::HostMemory>;
  // Never destroyed: tensors with static lifetime may be freed later.
  static Cache& cache() {
    static Cache* const c = [] {
      constexpr auto release = [] { cache().unlock(); };
      detail::at_fork([] { cache().lock(); }, release, release);
      return new Cache;
    }();
    return *c;
  }
};

/// A block of a device's memory with its version; tensors share it.
template <class Device>
class Storage {
 public:
  /// `bytes` uninitialised bytes. Error: out of memory.
  explicit Storage(std::size_t bytes) : data_(Allocator<Device>::allocate(bytes)), bytes_(bytes) {}
  /// Memory that belongs to `owner` and is only read, e.g. that of a mapped file.
  Storage(std::shared_ptr<const void> owner, const void* data, std::size_t bytes)
      : data_(const_cast<void*>(data)), bytes_(bytes), owner_(std::move(owner)) {}
  /// Returns the block to its allocator.
  ~Storage() {
    if (!owner_) Allocator<Device>::free(data_, bytes_);
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }                ///< in the device's memory
  std::size_t bytes() const { return bytes_; }        ///< the size
  std::uint64_t version() const { return version_; }  ///< the number of changes in place
  void changed() { ++version_; }                      ///< counts a change in place

 private:
  void* data_;
  std::size_t bytes_;
  std::shared_ptr<const void> owner_;  // null: the allocator
  std::uint64_t version_ = 0;
};

}  // namespace gaze
