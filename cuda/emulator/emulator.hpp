// SPDX-License-Identifier: MIT
// Runs CUDA kernels on the processor, for tests on machines without a GPU: the words of CUDA C++
// that cuda/ uses, as plain C++. Included by device.cuh where GAZE_CUDA_EMULATED is defined.
//
// Blocks run one after another on each thread of the pool. Inside a block every CUDA thread runs
// until it waits for others; only then does it need a fibre (a stack of its own), so kernels
// without barriers never switch. What a GPU would leave undefined is an Error here:
//   - threads of a block that wait at different barriers, or that leave while others wait,
//   - a pointer argument that is not device memory.
// Device memory is handed out as addresses that the host cannot read or write (see `real`), so host
// code that touches it stops at once. set_order() changes the order in which threads and blocks
// run: results that change with it come from a race.
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

/// Where the CUDA thread that runs now stands.
struct Position {
  dim3 thread, block, threads, blocks;
};
extern constinit thread_local Position position;

/// The barriers; all threads of the block (or warp) must come to the same one.
void sync_block(const char* file, unsigned line);
void sync_warp(const char* file, unsigned line);

/// Most bytes that a lane can give away in one exchange.
inline constexpr std::size_t exchange_bytes = 128;

/// Waits for all 32 lanes of the warp, each with its bytes; returns the bytes of lane 0, lane i's
/// at i * exchange_bytes. They stay until this lane's next exchange but one.
const std::byte* exchange_bytes_of_warp(const void* mine, std::size_t bytes);

/// What all lanes of the warp gave: all(i) is lane i's. The base of shuffles, votes and products of
/// a whole warp.
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

/// The memory behind a device pointer; an Error that names the kernel where it is none.
void* real(const void* device, const char* kernel, std::size_t argument);

/// Keeps the launch for the graph that is being recorded.
void record(const char* kernel, std::function<void()> launch);

/// Runs body(context) as every thread of every block.
struct Grid {
  const char* kernel;
  dim3 blocks, threads;
  std::size_t shared_bytes;
};
void run(const Grid& grid, void (*body)(void*), void* context);

/// Kernel arguments with real pointers. A struct that holds pointers has a member function
/// pointers(f) that calls f(pointer) on each.
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
