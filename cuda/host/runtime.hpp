// SPDX-License-Identifier: MIT
// The CUDA device as the host sees it: which there are, memory, waiting, and Allocator<Cuda>.
//
// Plain C++: no CUDA header is needed to include this. All work of a process goes, in order, to one
// stream of one device, so freed memory may be given out again while kernels still use it: whoever
// gets it comes later in the same stream. What can go wrong is a gaze::Error.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "gaze/core/storage.hpp"

namespace gaze::cuda {

/// One device. `compute` is its compute capability times ten: 75 for Turing, 90 for Hopper.
struct DeviceInfo {
  std::string name;
  int compute = 0, multiprocessors = 0;
  std::size_t memory = 0;  ///< bytes
};

/// The devices that this process can use; none without a driver.
std::vector<DeviceInfo> devices();

/// The one that this process uses, once it is chosen.
const DeviceInfo& device();

/// Why no device can be used, in one line; empty where one can.
std::string unavailable();

/// Chooses the device of this process (the first, without a call), before anything is on it.
void use_device(int index);

/// Waits until everything asked for so far is done, and reports what went wrong in it.
void synchronize();

/// Bytes of device memory that nobody holds, and all there are.
struct MemoryInfo {
  std::size_t free = 0, total = 0;
};
MemoryInfo memory();

/// Copies between the host's memory and the device's, after all that was asked for before.
/// copy_in may return before the copy is done, but has read `from`; copy_out waits.
void copy_in(void* to, const void* from, std::size_t bytes);
void copy_out(void* to, const void* from, std::size_t bytes);

}  // namespace gaze::cuda

namespace gaze {

template <>
struct Allocator<Cuda> {
  static void* allocate(std::size_t bytes);
  static void free(void* p, std::size_t bytes) noexcept;
  static void copy_in(void* to, const void* from, std::size_t bytes) {
    cuda::copy_in(to, from, bytes);
  }
  static void copy_out(void* to, const void* from, std::size_t bytes) {
    cuda::copy_out(to, from, bytes);
  }

  /// Of the freed blocks, see BlockCache.
  static void keep_at_most(std::size_t bytes);
  static std::size_t peak();
  static std::size_t in_use();
  static std::size_t kept();
  static void reset_peak();
};

}  // namespace gaze
