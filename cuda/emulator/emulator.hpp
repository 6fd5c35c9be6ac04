// SPDX-License-Identifier: MIT
// Runs CUDA kernels on the CPU, for tests on machines without a GPU: defines the parts of CUDA C++
// that cuda/ uses, in plain C++. Included by device.cuh if GAZE_CUDA_EMULATED is defined.
//
// Blocks run one after another on each thread of the pool. Inside a block every CUDA thread runs
// until it waits for others; only then does it need a fibre (a stack of its own), so kernels
// without barriers never switch. Undefined behaviour on a GPU is an Error here:
//   - threads of a block that wait at different barriers, or that return while others wait,
//   - a pointer argument that is not device memory.
// Device addresses are neither readable nor writable by the host (see `real`), so host code that
// accesses them crashes. set_order() changes the order in which threads and blocks run: results
// that change with it reveal a race.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline
#define __shared__ static thread_local
#define __launch_bounds__(...)
#define __syncthreads() ::gaze::cuda::emulator::sync_block(__FILE__, __LINE__)
#define __threadfence_system() std::atomic_thread_fence(std::memory_order_seq_cst)
#define __syncwarp() ::gaze::cuda::emulator::sync_warp(__FILE__, __LINE__)
#define threadIdx (::gaze::cuda::emulator::position.thread)
#define blockIdx (::gaze::cuda::emulator::position.block)
#define blockDim (::gaze::cuda::emulator::position.threads)
#define gridDim (::gaze::cuda::emulator::position.blocks)

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

/// Blocks run on several host threads.
inline int atomicMin(int* at, int value) {
  const std::atomic_ref<int> shared(*at);
  int old = shared.load();
  while (value < old && !shared.compare_exchange_weak(old, value)) {
  }
  return old;
}
inline int atomicMax(int* at, int value) {
  const std::atomic_ref<int> shared(*at);
  int old = shared.load();
  while (value > old && !shared.compare_exchange_weak(old, value)) {
  }
  return old;
}

namespace gaze::cuda::emulator {

/// Indices of the CUDA thread that is running.
struct Position {
  dim3 thread, block, threads, blocks;
};
extern constinit thread_local Position position;

/// The barriers; all threads of the block (or warp) must reach the same one.
void sync_block(const char* file, unsigned line);
void sync_warp(const char* file, unsigned line);

/// Maximum size of a lane's value in one exchange.
inline constexpr std::size_t exchange_bytes = 128;

/// Waits for all 32 lanes of the warp, each with its bytes. Returns the bytes of lane 0; those of
/// lane i are at i * exchange_bytes. They are valid until this lane's next exchange but one.
const std::byte* exchange_bytes_of_warp(const void* mine, std::size_t bytes);

/// The values of all lanes of the warp: all(i) is lane i's. Shuffles, votes and matrix products of
/// a warp are based on it.
template <class V>
struct WarpValues {
  const std::byte* first;
  V operator()(unsigned lane) const {
    V value;
    std::memcpy(&value, first + lane * exchange_bytes, sizeof(V));
    return value;
  }
};
template <class V>
WarpValues<V> exchange(const V& mine) {
  static_assert(std::is_trivially_copyable_v<V> && sizeof(V) <= exchange_bytes);
  return {exchange_bytes_of_warp(&mine, sizeof(V))};
}

/// This block's dynamic shared memory; garbage (NaNs) at the start of a block.
std::byte* dynamic_shared_memory();

/// 0: ascending; 1: descending; else shuffled by this seed. Initially GAZE_EMULATOR_ORDER or 0.
void set_order(std::uint64_t seed);

/// Host address of a device pointer. Error, naming the kernel: it is not device memory.
void* real(const void* device, const char* kernel, std::size_t argument);

/// Adds the launch to the graph that is being recorded.
void record(const char* kernel, std::function<void()> launch);

/// Runs body(context) for every thread of every block.
struct Grid {
  const char* kernel;
  dim3 blocks, threads;
  std::size_t shared_bytes;
};
void run(const Grid& grid, void (*body)(void*), void* context);

/// A kernel argument with host pointers in place of device pointers. A struct with pointers has a
/// member function pointers(f) that calls f(pointer) for each.
template <class T>
T translated(T value, const char* kernel, std::size_t argument) {
  if constexpr (std::is_pointer_v<T>) {
    if (!value) return value;
    return static_cast<T>(const_cast<std::remove_const_t<std::remove_pointer_t<T>>*>(
        static_cast<T>(real(value, kernel, argument))));
  } else if constexpr (requires { value.pointers([](auto&) {}); }) {
    value.pointers([&](auto& pointer) { pointer = translated(pointer, kernel, argument); });
    return value;
  } else {
    return value;
  }
}

}  // namespace gaze::cuda::emulator
