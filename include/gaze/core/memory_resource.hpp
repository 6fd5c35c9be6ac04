// SPDX-License-Identifier: MIT
// The source of memory: std::pmr::memory_resource. libc++ has it from version 16 on; before that,
// MemoryResource is a class with the same virtual functions.
#pragma once
#include "gaze/core/language.hpp"

#if __has_include(<memory_resource>)
#include <memory_resource>

namespace gaze {
using MemoryResource = std::pmr::memory_resource;
namespace detail {
inline MemoryResource* program_memory() { return std::pmr::new_delete_resource(); }
}  // namespace detail
}  // namespace gaze
#else
#include <cstddef>
#include <new>

namespace gaze {

/// The functions of std::pmr::memory_resource.
class MemoryResource {
 public:
  MemoryResource() = default;
  MemoryResource(const MemoryResource&) = default;
  MemoryResource& operator=(const MemoryResource&) = default;
  virtual ~MemoryResource() = default;

  /// At least `bytes` bytes; throws std::bad_alloc.
  void* allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
    return do_allocate(bytes, alignment);
  }
  /// Frees what allocate() returned for the same sizes.
  void deallocate(void* p, std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
    do_deallocate(p, bytes, alignment);
  }
  /// Whether one can free what the other allocated.
  bool is_equal(const MemoryResource& other) const noexcept { return do_is_equal(other); }

 private:
  virtual void* do_allocate(std::size_t bytes, std::size_t alignment) = 0;
  virtual void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) = 0;
  virtual bool do_is_equal(const MemoryResource& other) const noexcept = 0;
};

namespace detail {

class ProgramMemory final : public MemoryResource {
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return ::operator new(bytes, std::align_val_t(alignment));
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    ::operator delete(p, bytes, std::align_val_t(alignment));
  }
  bool do_is_equal(const MemoryResource& other) const noexcept override { return this == &other; }
};

inline MemoryResource* program_memory() {
  static ProgramMemory memory;
  return &memory;
}

}  // namespace detail
}  // namespace gaze
#endif
