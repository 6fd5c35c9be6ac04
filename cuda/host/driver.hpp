// SPDX-License-Identifier: MIT
// The driver interface that the rest of cuda/ uses, implemented by the CUDA runtime (driver.cu) and
// by the emulator (emulator.cpp). Plain C++.
#pragma once
#include <cstddef>

#include "cuda/host/graph.hpp"
#include "cuda/host/runtime.hpp"

namespace gaze::cuda::driver {

/// Allocates device memory aligned to 256 bytes; null if there is not enough.
void* take(std::size_t bytes);
void give(void* p) noexcept;

/// The allocator hands a block to a tensor of `bytes` bytes, and takes it back. The emulator
/// detects accesses beyond the end and reads of old contents.
void lend(void* p, std::size_t bytes);
void take_back(void* p, std::size_t bytes) noexcept;

/// Memory that the host and kernels both access, each at its own address; never freed.
struct SharedMemory {
  void *host, *device;
};
SharedMemory take_shared(std::size_t bytes);

/// Kernels launched between the two calls are recorded, not run. Returns null on failure.
void begin_recording();
void* end_recording();
void drop_recorded(void* recorded) noexcept;

/// An executable graph that runs a recording any number of times; null on failure.
void* make_runnable(void* recorded);
/// Replaces the recording that a runnable runs; no further runs of the old one may follow. Returns
/// false, and leaves the runnable unusable, unless the kernels are the same in the same order.
bool update_runnable(void* runnable, void* recorded);
void run(void* runnable);
void drop_runnable(void* runnable) noexcept;

}  // namespace gaze::cuda::driver
