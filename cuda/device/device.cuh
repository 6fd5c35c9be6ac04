// SPDX-License-Identifier: MIT
// The vocabulary of all kernels in cuda/: checked launches, shuffles and votes, sums over a warp or
// a block, vectorised loads; for CUDA, or for the emulator.
//
// The order of a sum depends only on the sizes, so equal inputs give equal bits on one device.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "cuda/device/fragments.hpp"
#include "cuda/host/graph.hpp"
#include "cuda/host/runtime.hpp"
#include "gaze/core/checked.hpp"
#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#ifdef GAZE_CUDA_EMULATED
#include "cuda/emulator/emulator.hpp"
#else
#include <cuda_runtime.h>
#endif

namespace gaze::cuda {

// ---- launches -----------------------------------------------------------------------------------

/// A line of the sources; std::source_location, which clang++ 14 lacks.
struct SourceLine {
  const char* file;
  int line;
  static constexpr SourceLine here(const char* file = __builtin_FILE(),
                                   int line = __builtin_LINE()) {
    return {file, line};
  }
};

/// The grid of a launch, and its dynamic shared memory in bytes. `name` and `where`
/// appear in the error message when the launch fails.
struct Launch {
  Launch(const char* name, dim3 blocks, dim3 threads, std::size_t shared_bytes = 0,
         SourceLine where = SourceLine::here())
      : name(name), blocks(blocks), threads(threads), shared_bytes(shared_bytes), where(where) {}

  const char* name;
  dim3 blocks, threads;
  std::size_t shared_bytes;
  SourceLine where;
};

/// Number of pieces of `size` that cover n.
constexpr Index pieces(Index n, Index size) { return (n + size - 1) / size; }

/// `blocks` as a dimension of the grid of kernel `name`. Error: more than 2^31 - 1.
inline unsigned grid_size(const char* name, Index blocks) {
  return static_cast<unsigned>(checked_int32(name, "the number of blocks", blocks));
}

/// Blocks along x for n pieces of work, at most 2^20; kernels loop with a stride of gridDim.x.
inline dim3 blocks_for(Index n, Index per_block) {
  const Index blocks = pieces(n, per_block);
  return dim3(static_cast<unsigned>(blocks < 1 ? 1 : blocks < (1 << 20) ? blocks : (1 << 20)));
}

#ifdef GAZE_CUDA_EMULATED

template <class... Parameters>
void launch(const Launch& l, void (*kernel)(Parameters...),
            std::type_identity_t<Parameters>... arguments) {
  const auto values = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::make_tuple(emulator::translated(arguments, l.name, I)...);
  }
  (std::index_sequence_for<Parameters...>{});
  auto body = [kernel, values] { std::apply(kernel, values); };
  const auto run = [body, grid = emulator::Grid{l.name, l.blocks, l.threads, l.shared_bytes}] {
    auto copy = body;
    emulator::run(
        grid, [](void* context) { (*static_cast<decltype(copy)*>(context))(); }, &copy);
  };
  if (recording())
    emulator::record(l.name, run);
  else
    run();
}

template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(emulator::dynamic_shared_memory());
}

#else

/// The only stream of the process, and the check after a launch (driver.cu).
cudaStream_t stream();
void check_launch(const Launch& l);
/// Allows a kernel more than 48 KB of dynamic shared memory.
void allow_shared(const void* kernel, const Launch& l);

template <class... Parameters>
void launch(const Launch& l, void (*kernel)(Parameters...),
            std::type_identity_t<Parameters>... arguments) {
  if (l.shared_bytes > 48 * 1024) allow_shared(reinterpret_cast<const void*>(kernel), l);
  // clang-format off
  kernel<<<l.blocks, l.threads, l.shared_bytes, stream()>>>(arguments...);
  // clang-format on
  check_launch(l);
}

template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char gaze_dynamic_shared[];
  return reinterpret_cast<T*>(gaze_dynamic_shared);
}

#endif

// ---- indices of a thread ------------------------------------------------------------------------

/// Index of this thread among the threads of the grid along x, and their number.
__device__ __forceinline__ Index thread_index() {
  return Index{blockIdx.x} * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ Index thread_count() { return Index{gridDim.x} * blockDim.x; }

__device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x % kLanes); }
__device__ __forceinline__ int warp() { return static_cast<int>(threadIdx.x / kLanes); }

// ---- within a warp: all 32 lanes must call ------------------------------------------------------

/// x of lane `lane ^ mask`, or of lane `from`.
#ifdef GAZE_CUDA_EMULATED
template <class T>
T shuffle_xor(T x, int mask) {
  const unsigned other = threadIdx.x % kLanes ^ static_cast<unsigned>(mask);
  return emulator::exchange(x)(other);
}
template <class T>
T shuffle(T x, int from) {
  return emulator::exchange(x)(static_cast<unsigned>(from));
}
/// Bit i is x of lane i.
inline unsigned ballot(bool x) {
  const auto all = emulator::exchange(x);
  unsigned bits = 0;
  for (unsigned i = 0; i < kLanes; ++i) bits |= static_cast<unsigned>(all(i)) << i;
  return bits;
}
#else
template <class T>
__device__ T shuffle_xor(T x, int mask) {
  return __shfl_xor_sync(0xffffffffu, x, mask);
}
template <class T>
__device__ T shuffle(T x, int from) {
  return __shfl_sync(0xffffffffu, x, from);
}
__device__ inline unsigned ballot(bool x) { return __ballot_sync(0xffffffffu, x); }
#endif

struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Largest {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

/// Folds x of all lanes in pairs at distance 16, 8, 4, 2, 1: the same bits in every lane.
template <class T, class Operation>
__device__ T warp_fold(T x, Operation f) {
#ifdef GAZE_CUDA_EMULATED
  const auto all = emulator::exchange(x);  // one exchange in place of five
  T values[kLanes];
  for (unsigned i = 0; i < kLanes; ++i) values[i] = all(i);
  for (int distance = kLanes / 2; distance > 0; distance /= 2)
    for (int i = 0; i < distance; ++i) values[i] = f(values[i], values[i + distance]);
  return values[0];
#else
#pragma unroll
  for (int distance = kLanes / 2; distance > 0; distance /= 2) x = f(x, shuffle_xor(x, distance));
  return x;
#endif
}
template <class T>
__device__ T warp_sum(T x) {
  return warp_fold(x, Plus{});
}
template <class T>
__device__ T warp_max(T x) {
  return warp_fold(x, Largest{});
}

// ---- within a block: all threads must call, in whole warps --------------------------------------

/// Folds x of all threads: in each warp, then over the warps in ascending order. f(identity, x) is
/// x. Two barriers: the first publishes the warps' values, the second lets the next call overwrite
/// them.
template <class T, class Operation>
__device__ T block_fold(T x, Operation f, T identity) {
  __shared__ T warps[kLanes];
  x = warp_fold(x, f);
  if (lane() == 0) warps[warp()] = x;
  __syncthreads();
  T total = identity;
  for (int i = 0; i < static_cast<int>(blockDim.x) / kLanes; ++i) total = f(total, warps[i]);
  __syncthreads();
  return total;
}
template <class T>
__device__ T block_sum(T x) {
  return block_fold(x, Plus{}, T(0));
}
template <class T>
__device__ T block_max(T x) {
  return block_fold(x, Largest{}, -std::numeric_limits<T>::infinity());
}

// ---- vectorised loads ---------------------------------------------------------------------------

/// N values that are loaded and stored in one access; the address is a multiple of their size.
template <class T, int N>
struct alignas(sizeof(T) * N) Vector {
  T values[N];
  __device__ T& operator[](int i) { return values[i]; }
  __device__ const T& operator[](int i) const { return values[i]; }
};
template <int N, class T>
__device__ Vector<T, N> load(const T* from) {
  return *reinterpret_cast<const Vector<T, N>*>(from);
}
template <int N, class T>
__device__ void store(T* to, const Vector<T, N>& x) {
  *reinterpret_cast<Vector<T, N>*>(to) = x;
}

}  // namespace gaze::cuda
