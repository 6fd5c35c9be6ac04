// SPDX-License-Identifier: MIT
// Kernels along the rows of x [R, n]. A sum, maximum or running sum gives a row to a block: thread
// t reads and writes the row's elements t, t + threads, ... below n, sums go in double, and the
// only barriers are those of the folds, which all threads of the block come to, for the row is the
// block's. What moves or sorts single elements gives each to a thread, without barriers.
#pragma once
#include "cuda/elements.cuh"
#include "gaze/kernels/pointwise.hpp"

namespace gaze::cuda {

/// Calls f(row) for the rows of this block: its own, then on by the number of blocks.
template <class F>
__device__ void for_rows_of_block(Index rows, F f) {
  for (Index r = blockIdx.x; r < rows; r += gridDim.x) f(r);
}

/// f(j) of all j < n, summed by the block; every thread gets it.
template <class F>
__device__ double block_sum_of(Index n, F f) {
  double sum = 0;
  for (Index j = threadIdx.x; j < n; j += blockDim.x) sum += static_cast<double>(f(j));
  return block_sum(sum);
}

/// Calls f(j) for this thread's j < n.
template <class F>
__device__ void each_of_block(Index n, F f) {
  for (Index j = threadIdx.x; j < n; j += blockDim.x) f(j);
}

// ---- variance -----------------------------------------------------------------------------------

template <class T>
__global__ void variance_forward_kernel(Index rows, Index n, T inverse, const T* x, T* y) {
  for_rows_of_block(rows, [&](Index r) {
    const T* const row = x + r * n;
    const double mean = block_sum_of(n, [&](Index j) { return row[j]; }) / static_cast<double>(n);
    const double squares = block_sum_of(n, [&](Index j) {
      const double d = static_cast<double>(row[j]) - mean;
      return d * d;
    });
    if (threadIdx.x == 0) y[r] = static_cast<T>(squares * static_cast<double>(inverse));
  });
}

template <class T>
__global__ void variance_backward_kernel(Index rows, Index n, T inverse, const T* x, const T* dy,
                                         T* dx) {
  for_rows_of_block(rows, [&](Index r) {
    const T* const row = x + r * n;
    const T mean =
        static_cast<T>(block_sum_of(n, [&](Index j) { return row[j]; }) / static_cast<double>(n));
    const T slope = 2 * inverse * dy[r];
    each_of_block(n, [&](Index j) { dx[r * n + j] = slope * (row[j] - mean); });
  });
}

// ---- softmax ------------------------------------------------------------------------------------

/// What is taken from a row before e^x, its largest element (0 where that is infinite), and the sum
/// of e^(x - shift).
template <class T>
struct ExpSum {
  T shift;
  double total;

  __device__ ExpSum(Index n, const T* row) {
    T top = -std::numeric_limits<T>::infinity();
    each_of_block(n, [&](Index j) { top = row[j] > top ? row[j] : top; });
    top = block_max(top);
    const T largest = std::numeric_limits<T>::max();
    shift = top >= -largest && top <= largest ? top : T(0);
    total = block_sum_of(n, [&](Index j) { return exp_of(row[j]); });
  }
  __device__ T exp_of(T x) const { return std::exp(x - shift); }
};

template <class T>
__global__ void logsumexp_forward_kernel(Index rows, Index n, const T* x, T* y) {
  for_rows_of_block(rows, [&](Index r) {
    const ExpSum<T> e(n, x + r * n);
    if (threadIdx.x == 0) y[r] = e.shift + static_cast<T>(std::log(e.total));
  });
}

template <class T>
__global__ void logsumexp_backward_kernel(Index rows, Index n, const T* x, const T* dy, T* dx) {
  for_rows_of_block(rows, [&](Index r) {
    const ExpSum<T> e(n, x + r * n);
    const T slope = e.total == 0 ? T(0) : static_cast<T>(static_cast<double>(dy[r]) / e.total);
    each_of_block(n, [&](Index j) { dx[r * n + j] = e.exp_of(x[r * n + j]) * slope; });
  });
}

template <class T>
__global__ void softmax_forward_kernel(bool log, Index rows, Index n, const T* x, T* y) {
  for_rows_of_block(rows, [&](Index r) {
    const ExpSum<T> e(n, x + r * n);
    const double total = scalar::softmax_total(e.total);
    const T lse = static_cast<T>(std::log(total)), inverse = static_cast<T>(1 / total);
    each_of_block(n, [&](Index j) {
      const T value = x[r * n + j];
      y[r * n + j] = log ? value - e.shift - lse : e.exp_of(value) * inverse;
    });
  });
}

template <class T>
__global__ void softmax_backward_kernel(bool log, Index rows, Index n, const T* y, const T* dy,
                                        T* dx) {
  for_rows_of_block(rows, [&](Index r) {
    const T *const out = y + r * n, *const g = dy + r * n;
    const T total =
        static_cast<T>(block_sum_of(n, [&](Index j) { return log ? g[j] : g[j] * out[j]; }));
    each_of_block(n, [&](Index j) {
      dx[r * n + j] = log ? g[j] - std::exp(out[j]) * total : out[j] * (g[j] - total);
    });
  });
}

// ---- running sums -------------------------------------------------------------------------------

inline constexpr int kRunningThreads = 128;

/// Thread t owns the t-th of 128 equal pieces of the row. It leaves the piece's sum in `sums`; the
/// first barrier shows them, each thread adds up those before its own and writes its running sum;
/// the second keeps the sums until all have read.
template <class T>
__global__ void cumsum_kernel(Index rows, Index n, bool from_end, const T* x, T* y) {
  __shared__ double sums[kRunningThreads];
  const Index size = pieces(n, kRunningThreads), begin = threadIdx.x * size;
  const Index end = begin + size < n ? begin + size : n;
  for_rows_of_block(rows, [&](Index r) {
    const auto place = [&](Index i) { return r * n + (from_end ? n - 1 - i : i); };
    double sum = 0;
    for (Index i = begin; i < end; ++i) sum += static_cast<double>(x[place(i)]);
    sums[threadIdx.x] = sum;
    __syncthreads();
    double total = 0;
    for (unsigned t = 0; t < threadIdx.x; ++t) total += sums[t];
    for (Index i = begin; i < end; ++i)
      y[place(i)] = static_cast<T>(total += static_cast<double>(x[place(i)]));
    __syncthreads();
  });
}

// ---- the best element ---------------------------------------------------------------------------

/// Of two places in a row (-1: none) that of the better element, of equals the first.
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

// ---- elements by index --------------------------------------------------------------------------

/// One thread per element of y [R, k].
template <class T>
struct GatherElements {
  Index n, k;
  const T* x;
  const std::int32_t* index;
  T* y;
  __device__ void operator()(Index i) const {
    const Index from = index[i];
    y[i] = from >= 0 && from < n ? x[i / k * n + from] : T(0);
  }
  void pointers(auto f) { f(x), f(index), f(y); }
};

/// One thread per row, which alone writes to it: additions in ascending order, as on the CPU.
template <class T>
struct ScatterAddElements {
  Index n, k;
  const T* x;
  const std::int32_t* index;
  T* y;
  __device__ void operator()(Index r) const {
    for (Index j = r * k; j < (r + 1) * k; ++j)
      if (index[j] >= 0 && index[j] < n) y[r * n + index[j]] += x[j];
  }
  void pointers(auto f) { f(x), f(index), f(y); }
};

// ---- sorting ------------------------------------------------------------------------------------

/// The places of a row in their own order.
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

/// One step of a merge sort: runs of `width` sorted places of each row become runs of twice that.
/// The thread of a place counts, by halving, those of the other run that come before it: that and
/// its rank in its own run say where it goes. The order has no equals, so no two go to one place.
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
