// SPDX-License-Identifier: MIT
// Allocator<Cuda>: a BlockCache over the driver's memory.
//
// Freed blocks are given out again without waiting: all kernels and copies run in one stream, so
// whoever gets a block comes after the work that still uses it.
#include "cuda/driver.hpp"
#include "cuda/runtime.hpp"

namespace gaze {

namespace {

struct DeviceMemory {
  static void* take(std::size_t bytes) { return cuda::driver::take(bytes); }
  static void give(void* p) noexcept { cuda::driver::give(p); }
};

using Cache = BlockCache<DeviceMemory>;

Cache& cache() {
  static auto* c = new Cache;  // never destroyed: tensors with static lifetime may be freed later
  return *c;
}

[[noreturn]] void out_of_memory(std::size_t bytes) {
  const cuda::MemoryInfo memory = cuda::memory();
  GAZE_FAIL("allocate", "out of memory on the device: asked for ", bytes, " bytes, ", memory.free,
            " of ", memory.total, " are free and ", cache().in_use(),
            " are in use here; lower the batch (--batch, --prompts or --group) or the preset");
}

}  // namespace

void* Allocator<Cuda>::allocate(std::size_t bytes) {
  void* const p = cache().allocate(bytes);
  if (!p) out_of_memory(bytes);
  cuda::driver::lend(p, bytes);
  return p;
}

void Allocator<Cuda>::free(void* p, std::size_t bytes) noexcept {
  cuda::driver::take_back(p, Cache::rounded(bytes));
  cache().free(p, bytes);
}

void Allocator<Cuda>::keep_at_most(std::size_t bytes) { cache().keep_at_most(bytes); }
std::size_t Allocator<Cuda>::peak() { return cache().peak(); }
std::size_t Allocator<Cuda>::in_use() { return cache().in_use(); }
std::size_t Allocator<Cuda>::kept() { return cache().kept(); }
void Allocator<Cuda>::reset_peak() { cache().reset_peak(); }

}  // namespace gaze
