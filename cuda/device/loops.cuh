// SPDX-License-Identifier: MIT
// How kernels distribute their work: one thread per value, one warp per row, or one block per row.
// All of them stride by the size of the grid where there is more work than threads.
#pragma once
#include "cuda/device/device.cuh"

namespace gaze::cuda {

// ---- one thread per value -----------------------------------------------------------------------

inline constexpr int kElementThreads = 256;

template <class F>
__global__ void for_each_kernel(Index n, F f) {
  for (Index i = thread_index(); i < n; i += thread_count()) f(i);
}

/// Calls f(i) for every i < n. f is a struct with a device function operator()(Index) and a member
/// function `pointers` for the emulator (emulator::translated). Different i must not write what
/// another reads or writes.
template <class F>
void for_each(const char* name, Index n, const F& f, SourceLine where = SourceLine::here()) {
  if (n <= 0) return;
  const Launch how(name, blocks_for(n, kElementThreads), dim3(kElementThreads), 0, where);
  launch(how, for_each_kernel<F>, n, f);
}

// ---- one warp per row ---------------------------------------------------------------------------

inline constexpr int kRowThreads = 128, kRowWarps = kRowThreads / kLanes;

/// Calls f(row) for the rows of this warp. A whole warp leaves the loop together.
template <class F>
__device__ void for_rows_of_warp(Index n, F f) {
  const Index step = Index{gridDim.x} * kRowWarps;
  for (Index r = Index{blockIdx.x} * kRowWarps + warp(); r < n; r += step) f(r);
}

// ---- one block per row --------------------------------------------------------------------------

/// One warp for a short row, eight for a long one.
inline Launch block_per_row(const char* name, Index rows, Index n,
                            SourceLine where = SourceLine::here()) {
  return {name, blocks_for(rows, 1), dim3(n <= 256 ? kLanes : 8 * kLanes), 0, where};
}

/// Calls f(row) for the rows of this block.
template <class F>
__device__ void for_rows_of_block(Index rows, F f) {
  for (Index r = blockIdx.x; r < rows; r += gridDim.x) f(r);
}

/// Calls f(j) for this thread's j < n.
template <class F>
__device__ void each_of_block(Index n, F f) {
  for (Index j = threadIdx.x; j < n; j += blockDim.x) f(j);
}

/// The block's sum of f(j) over j < n, in double. All threads get it.
template <class F>
__device__ double block_sum_of(Index n, F f) {
  double sum = 0;
  for (Index j = threadIdx.x; j < n; j += blockDim.x) sum += static_cast<double>(f(j));
  return block_sum(sum);
}

}  // namespace gaze::cuda
