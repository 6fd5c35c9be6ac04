// SPDX-License-Identifier: MIT
// What the rest of cuda/ asks of a driver: the CUDA runtime (driver.cu) or the emulator
// (emulator.cpp). Plain C++.
#pragma once
#include <cstddef>

#include "cuda/host/graph.hpp"
#include "cuda/host/runtime.hpp"

namespace gaze::cuda::driver {

/// Device memory, or null where there is none left; every block is at a multiple of 256 bytes.
void* take(std::size_t bytes);
void give(void* p) noexcept;

/// A block of the allocator's goes to a tensor of `bytes` bytes, and comes back: the emulator
/// watches that nobody goes beyond, and that nobody counts on what was there.
void lend(void* p, std::size_t bytes);
void take_back(void* p, std::size_t bytes) noexcept;

/// Memory that the host and kernels both see, each at its own address; never given back.
struct SharedMemory {
  void *host, *device;
};
SharedMemory take_shared(std::size_t bytes);

/// Kernels launched between the two are recorded and not run; null where that failed.
void begin_recording();
void* end_recording();
void drop_recorded(void* recorded) noexcept;

/// What runs the kernels of a recording, any number of times; null where that failed.
void* make_runnable(void* recorded);
/// Makes a runnable, all of whose runs have been asked for, do what another recording does; false
/// where its kernels are not the same ones in the same order, and then the runnable is of no use.
bool update_runnable(void* runnable, void* recorded);
void run(void* runnable);
void drop_runnable(void* runnable) noexcept;

}  // namespace gaze::cuda::driver
