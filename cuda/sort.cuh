// SPDX-License-Identifier: MIT
// Order within rows. best_in_rows gives a row to a block, whose only barriers are those of the
// fold; sorting gives each place to a thread, without barriers.
#pragma once
#include "cuda/device/loops.cuh"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cuda {

// ---- the best element ---------------------------------------------------------------------------

/// Of two places in a row (-1: none), that of the better element; of equal elements, the first.
template <class T>
struct BetterPlace {
  const T* row;
  bool greatest;
  __device__ Index operator()(Index i, Index j) const {
    if (i < 0 || j < 0) return i < 0 ? j : i;
    const Index first = i < j ? i : j, second = i < j ? j : i;
    return scalar::displaces(row[second], row[first], greatest) ? second : first;
  }
};

template <class T>
__global__ void best_in_rows_kernel(Index rows, Index n, bool greatest, const T* x,
                                    std::int32_t* best) {
  for_rows_of_block(rows, [&](Index r) {
    const BetterPlace<T> better{x + r * n, greatest};
    Index at = -1;
    each_of_block(n, [&](Index j) { at = better(at, j); });
    at = block_fold(at, better, Index{-1});
    if (threadIdx.x == 0) best[r] = static_cast<std::int32_t>(at);
  });
}

// ---- merge sort ---------------------------------------------------------------------------------

/// The places of each row, 0 to n - 1.
struct Places {
  Index n;
  std::int32_t* to;
  __device__ void operator()(Index i) const { to[i] = static_cast<std::int32_t>(i % n); }
  void pointers(auto f) { f(to); }
};

/// The first k places of each row.
struct FirstPlaces {
  Index n, k;
  const std::int32_t* from;
  std::int32_t* to;
  __device__ void operator()(Index i) const { to[i] = from[i / k * n + i % k]; }
  void pointers(auto f) { f(from), f(to); }
};

/// One pass: runs of `width` sorted places of each row become runs of twice that. The thread of a
/// place finds by bisection how many places of the other run come before it; that count and the
/// rank in its own run give the target. The order has no equals, so targets differ.
template <class T>
struct MergeRuns {
  Index n, width;
  bool descending;
  const T* x;
  const std::int32_t* from;
  std::int32_t* to;
  __device__ void operator()(Index i) const {
    const Index row = i / n * n, j = i % n, pair = j / (2 * width) * 2 * width;
    const bool left = j < pair + width;
    const Index middle = pair + width < n ? pair + width : n;
    const Index end = pair + 2 * width < n ? pair + 2 * width : n;
    const Index begin = left ? middle : pair;
    Index low = begin, high = left ? end : middle;
    while (low < high) {
      const Index half = low + (high - low) / 2;
      if (scalar::sorts_before(x + row, Index{from[row + half]}, Index{from[i]}, descending))
        low = half + 1;
      else
        high = half;
    }
    to[row + (left ? j : pair + j - middle) + (low - begin)] = from[i];
  }
  void pointers(auto f) { f(x), f(from), f(to); }
};

}  // namespace gaze::cuda
