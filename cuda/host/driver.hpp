// SPDX-License-Identifier: MIT
// The driver interface that the rest of cuda/ uses, implemented by the CUDA runtime (driver.cu) and
// the emulator (emulator.cpp). Plain C++.
#pragma once
#include <cstddef>

#include "cuda/host/graph.hpp"
#include "cuda/host/runtime.hpp"

namespace gaze::cuda::driver {

/// Allocates device memory aligned to 256 bytes; null if there is none left.
void* take(std::size_t bytes);
void give(void* p) noexcept;

/// Called when the allocator hands a block to a tensor of `bytes` bytes and when it comes back: the
/// emulator checks for accesses beyond it and overwrites its old content.
void lend(void* p, std::size_t bytes);
void take_back(void* p, std::size_t bytes) noexcept;

/// Memory mapped into host and device, each with its own address; never freed.
struct SharedMemory {
  void *host, *device;
};
SharedMemory take_shared(std::size_t bytes);

/// Kernels launched between the two calls are recorded instead of run; null on failure.
void begin_recording();
void* end_recording();
void drop_recorded(void* recorded) noexcept;

/// The executable graph of a recording, which can run any number of times; null on failure.
void* make_runnable(void* recorded);
/// Updates an executable graph, after its last launch, to another recording; false, with the
/// executable unusable, unless the kernels are the same in the same order.
bool update_runnable(void* runnable, void* recorded);
void run(void* runnable);
void drop_runnable(void* runnable) noexcept;

}  // namespace gaze::cuda::driver
