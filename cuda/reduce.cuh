// SPDX-License-Identifier: MIT
// Sums over all elements, and reductions and scans along the rows of x [R, n]. A row belongs to a
// block: thread t reads and writes the row's elements t, t + threads, ... below n, and sums are in
// double. The only barriers are those of the folds, which all threads of the block reach because
// they have the same rows.
#pragma once
#include "cuda/device/loops.cuh"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cuda {

// ---- sums over everything -----------------------------------------------------------------------

inline constexpr Index kSumPiece = 4096;  // elements per block

/// Block b: partial[b] = sum of its piece of x (or of the squares) in double. Each thread adds
/// every 256th element in ascending order, then the threads' sums are folded (block_sum).
template <class T>
__global__ void sum_pieces_kernel(Index n, const T* x, bool squares, double* partial) {
  for (Index piece = blockIdx.x; piece * kSumPiece < n; piece += gridDim.x) {
    const Index begin = piece * kSumPiece, end = begin + kSumPiece < n ? begin + kSumPiece : n;
    double sum = 0;
    for (Index i = begin + threadIdx.x; i < end; i += blockDim.x) {
      const double value = static_cast<double>(x[i]);
      sum += squares ? value * value : value;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[piece] = sum;
  }
}

/// One block: y[0] = the sum of n partial sums, each thread's in ascending order, then folded. y
/// may be `partial`.
template <class T>
__global__ void sum_partials_kernel(Index n, const double* partial, T* y) {
  double sum = 0;
  for (Index i = threadIdx.x; i < n; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *y = static_cast<T>(sum);
}

// ---- variance -----------------------------------------------------------------------------------

/// y = inverse sum (x - mean)^2, in two passes over the row.
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

/// dx = 2 inverse dy (x - mean).
template <class T>
__global__ void variance_backward_kernel(Index rows, Index n, T inverse, const T* x, const T* dy,
                                         T* dx) {
  for_rows_of_block(rows, [&](Index r) {
    const T* const row = x + r * n;
    const T mean =
        static_cast<T>(block_sum_of(n, [&](Index j) { return row[j]; }) / static_cast<double>(n));
    const T factor = 2 * inverse * dy[r];
    each_of_block(n, [&](Index j) { dx[r * n + j] = factor * (row[j] - mean); });
  });
}

// ---- softmax ------------------------------------------------------------------------------------

/// The row's largest element (0 where that is infinite), which is subtracted before the
/// exponential, and the sum of e^(x - shift).
template <class T>
struct ExpSum {
  T shift;
  double total;

  __device__ ExpSum(Index n, const T* row) {
    T row_max = -std::numeric_limits<T>::infinity();
    each_of_block(n, [&](Index j) { row_max = row[j] > row_max ? row[j] : row_max; });
    row_max = block_max(row_max);
    const T largest = std::numeric_limits<T>::max();
    shift = row_max >= -largest && row_max <= largest ? row_max : T(0);
    total = block_sum_of(n, [&](Index j) { return exp_of(row[j]); });
  }
  __device__ T exp_of(T x) const { return std::exp(x - shift); }
};

/// y = log sum e^x.
template <class T>
__global__ void logsumexp_forward_kernel(Index rows, Index n, const T* x, T* y) {
  for_rows_of_block(rows, [&](Index r) {
    const ExpSum<T> e(n, x + r * n);
    if (threadIdx.x == 0) y[r] = e.shift + static_cast<T>(std::log(e.total));
  });
}

/// dx = dy e^x / sum e^x.
template <class T>
__global__ void logsumexp_backward_kernel(Index rows, Index n, const T* x, const T* dy, T* dx) {
  for_rows_of_block(rows, [&](Index r) {
    const ExpSum<T> e(n, x + r * n);
    const T factor = e.total == 0 ? T(0) : static_cast<T>(static_cast<double>(dy[r]) / e.total);
    each_of_block(n, [&](Index j) { dx[r * n + j] = e.exp_of(x[r * n + j]) * factor; });
  });
}

/// y = e^x / sum e^x, or with `log` its logarithm.
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

/// dx = y (dy - sum dy y); with `log`, where y is the logarithm, dx = dy - e^y sum dy.
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

// ---- cumulative sums
// ------------------------------------------------------------------------------

inline constexpr int kCumsumThreads = 128;

/// Thread t has the t-th of 128 equal pieces of the row and writes the piece's sum to `sums`. After
/// the first barrier, each thread adds up the sums before its own and writes its cumulative sums;
/// the second barrier keeps `sums` until all have read it.
template <class T>
__global__ void cumsum_kernel(Index rows, Index n, bool from_end, const T* x, T* y) {
  __shared__ double sums[kCumsumThreads];
  const Index size = pieces(n, kCumsumThreads), begin = threadIdx.x * size;
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

}  // namespace gaze::cuda
