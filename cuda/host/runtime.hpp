// SPDX-License-Identifier: MIT
// The CUDA device as the host sees it: selection, memory, waiting, and Allocator<Cuda>.
//
// Plain C++: no CUDA header is needed to include this. All work of a process runs in order in one
// stream of one device, so freed memory may be reused while kernels still use it: its next user
// runs later in the same stream. Failures throw gaze::Error.
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

/// The devices that this process can use; empty without a driver.
std::vector<DeviceInfo> devices();

/// The device that this process uses; from this call on, use_device() is an error.
const DeviceInfo& device();

/// The reason why no device can be used, in one line; empty if one can.
std::string unavailable();

/// Chooses the device of this process, initially the first. Error: a device is already in use.
void use_device(int index);

/// Waits until all launched work is done, and throws its errors.
void synchronize();

/// Free and total device memory, in bytes.
struct MemoryInfo {
  std::size_t free = 0, total = 0;
};
MemoryInfo memory();

/// Copy between host and device memory, after all work launched before. copy_in may return before
/// the copy is done, but has read `from`; copy_out waits.
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

  /// The cache of freed blocks, see BlockCache.
  static void keep_at_most(std::size_t bytes);
  static std::size_t peak();
  static std::size_t in_use();
  static std::size_t kept();
  static void reset_peak();
};

}  // namespace gaze
