// SPDX-License-Identifier: MIT
// Rows [N, C] in accesses of 16 bytes, for float and for bf16 with float statistics and gradients.
//
// A norm gives a row to a warp. Lane l reads N columns at a time, from l N on in steps of 32 N, and
// reads the row again (from the cache) in each pass over it. It writes the columns that it read, so
// y may be x and dx may be dy. C is a multiple of N and rows are aligned to 16 bytes, so vectors do
// not cross rows. The only barriers are the shuffles of the sums.
#pragma once
#include "cuda/device/loops.cuh"
#include "cuda/device/vectors.cuh"
#include "gaze/kernels/reduce.hpp"
#include "gaze/kernels/rows.hpp"

namespace gaze::cuda::vectorised {

inline constexpr int kPieceRows = 64;  ///< rows whose values one thread adds up

/// Calls f(first) for the columns of this lane, N at a time.
template <int N, class F>
__device__ __forceinline__ void for_columns(Index c, F f) {
  for (Index j = Index{lane()} * N; j < c; j += Index{kLanes} * N) f(j);
}

/// This lane's part of two sums over c columns: add(first column, a, b) adds N columns to both.
/// Chains of kChainedColumns columns are added in double.
template <int N, class F>
__device__ __forceinline__ void sum_columns(Index c, float& a, float& b, F add) {
  double total_a = 0, total_b = 0;
  for (Index begin = 0; begin < c; begin += kChainedColumns) {
    a = b = 0;
    const Index end = c - begin > kChainedColumns ? begin + kChainedColumns : c;
    for (Index j = begin + Index{lane()} * N; j < end; j += Index{kLanes} * N) add(j, a, b);
    total_a += a;
    total_b += b;
  }
  a = static_cast<float>(total_a);
  b = static_cast<float>(total_b);
}

// ---- norms --------------------------------------------------------------------------------------
// y = u weight (+ bias) with u = (x - mean) scale. Centred: layer norm; otherwise RMS norm, where
// mean is 0 and there is no bias.

template <class T>
struct Norm {
  Index n, c;
  const T *x, *weight, *bias;
  float eps;
  T* y;
  float *mean, *scale;  ///< [n]; mean only if Centred
  void pointers(auto f) { f(x), f(weight), f(bias), f(y), f(mean), f(scale); }
};

template <class T, bool Centred>
__global__ void norm_forward_kernel(Norm<T> a) {
  constexpr int N = wide<T>;
  for_rows_of_warp(a.n, [&](Index r) {
    const T* const row = a.x + r * a.c;
    float x[N], sum = 0, squares = 0, none = 0;
    if constexpr (Centred) {
      sum_columns<N>(a.c, sum, none, [&](Index j, float& total, float&) {
        load_floats(x, row + j);
        for (int i = 0; i < N; ++i) total += x[i];
      });
      sum = warp_sum(sum);
    }
    const float mean = Centred ? sum / static_cast<float>(a.c) : 0.0f;
    sum_columns<N>(a.c, squares, none, [&](Index j, float& total, float&) {
      load_floats(x, row + j);
      for (int i = 0; i < N; ++i) total += (x[i] - mean) * (x[i] - mean);
    });
    const float scale = 1 / sqrtf(warp_sum(squares) / static_cast<float>(a.c) + a.eps);
    for_columns<N>(a.c, [&](Index j) {
      float weight[N], bias[N] = {};
      load_floats(x, row + j);
      load_floats(weight, a.weight + j);
      if constexpr (Centred) load_floats(bias, a.bias + j);
      for (int i = 0; i < N; ++i) x[i] = (x[i] - mean) * scale * weight[i] + bias[i];
      store_floats(a.y + r * a.c + j, x);
    });
    if (lane() != 0) return;
    if constexpr (Centred) a.mean[r] = mean;
    a.scale[r] = scale;
  });
}

template <class T>
struct NormGrad {
  Index n, c;
  const T *x, *weight;
  const float *mean, *scale, *dy;
  float* dx;
  bool accumulate;
  float *dweight, *dbias;  ///< [pieces][c] each, or null
  void pointers(auto f) { f(x), f(weight), f(mean), f(scale), f(dy), f(dx), f(dweight), f(dbias); }
};

/// With g = dy weight: dx = scale (g - mean(g) - u mean(g u)), without mean(g) unless Centred.
template <class T, bool Centred>
__global__ void norm_backward_kernel(NormGrad<T> a) {
  constexpr int N = wide<T>;
  for_rows_of_warp(a.n, [&](Index r) {
    const float mean = Centred ? a.mean[r] : 0.0f, scale = a.scale[r];
    float u[N], g[N], weight[N], sum = 0, dot = 0;
    const auto fetch = [&](Index j) {
      load_floats(u, a.x + r * a.c + j);
      load_floats(g, a.dy + r * a.c + j);
      load_floats(weight, a.weight + j);
      for (int i = 0; i < N; ++i) {
        u[i] = (u[i] - mean) * scale;
        g[i] *= weight[i];
      }
    };
    sum_columns<N>(a.c, sum, dot, [&](Index j, float& plain, float& product) {
      fetch(j);
      for (int i = 0; i < N; ++i) {
        plain += g[i];
        product += g[i] * u[i];
      }
    });
    const float mean_g = Centred ? warp_sum(sum) / static_cast<float>(a.c) : 0.0f;
    const float mean_gu = warp_sum(dot) / static_cast<float>(a.c);
    for_columns<N>(a.c, [&](Index j) {
      fetch(j);
      float dx[N] = {};
      if (a.accumulate) load_floats(dx, a.dx + r * a.c + j);
      for (int i = 0; i < N; ++i) dx[i] += scale * (g[i] - mean_g - u[i] * mean_gu);
      store_floats(a.dx + r * a.c + j, dx);
    });
  });
}

/// dweight[piece] = sum over the piece's rows of dy u, dbias[piece] of dy: N columns per thread,
/// rows ascending. Grid: (columns, pieces). Runs before norm_backward_kernel, whose dx may be dy.
template <class T, bool Centred>
__global__ void norm_weight_kernel(NormGrad<T> a) {
  constexpr int N = wide<T>;
  const Index j = thread_index() * N;
  if (j >= a.c) return;
  for (Index piece = blockIdx.y; piece * kPieceRows < a.n; piece += gridDim.y) {
    const Index end = (piece + 1) * kPieceRows < a.n ? (piece + 1) * kPieceRows : a.n;
    float dweight[N] = {}, dbias[N] = {}, x[N], dy[N];
    for (Index r = piece * kPieceRows; r < end; ++r) {
      const float mean = Centred ? a.mean[r] : 0.0f, scale = a.scale[r];
      load_floats(x, a.x + r * a.c + j);
      load_floats(dy, a.dy + r * a.c + j);
      for (int i = 0; i < N; ++i) {
        dweight[i] += dy[i] * (x[i] - mean) * scale;
        dbias[i] += dy[i];
      }
    }
    if (a.dweight) store_floats(a.dweight + piece * a.c + j, dweight);
    if (a.dbias) store_floats(a.dbias + piece * a.c + j, dbias);
  }
}

/// y[j] += the column's pieces in ascending order, one thread per column.
struct AddColumnPieces {
  Index pieces, c;
  const float* partial;
  float* y;
  __device__ void operator()(Index j) const {
    double total = 0;
    for (Index first = 0; first < pieces; first += kChainedBlocks) {
      const Index end = pieces - first > kChainedBlocks ? first + kChainedBlocks : pieces;
      float sum = 0;
      for (Index p = first; p < end; ++p) sum += partial[p * c + j];
      total += sum;
    }
    y[j] += static_cast<float>(total);
  }
  void pointers(auto f) { f(partial), f(y); }
};

// ---- softmax ------------------------------------------------------------------------------------

/// The largest of some z, and the sums of e^(z - row_max) and (z - row_max) e^(z - row_max). Chains
/// of kChainedColumns columns are added in double (end_chain, then finish).
struct SoftmaxSums {
  float row_max = -std::numeric_limits<float>::infinity(), total = 0, weighted = 0;
  double chains_total = 0, chains_weighted = 0;

  __device__ void add(float z) {
    if (z == -std::numeric_limits<float>::infinity()) return;
    if (z > row_max) raise(z);
    const float e = expf(z - row_max);
    total += e;
    if (e != 0) weighted += e * (z - row_max);
  }
  /// Rescales the sums to a larger row_max.
  __device__ void raise(float to) {
    const float shift = row_max - to, scale = expf(shift);
    weighted = scale != 0 ? scale * (weighted + shift * total) : 0;
    total *= scale;
    chains_weighted = scale != 0 ? scale * (chains_weighted + shift * chains_total) : 0;
    chains_total *= scale;
    row_max = to;
  }
  __device__ void end_chain() {
    chains_total += total;
    chains_weighted += weighted;
    total = weighted = 0;
  }
  __device__ void finish() {
    end_chain();
    total = static_cast<float>(chains_total);
    weighted = static_cast<float>(chains_weighted);
  }
};

template <class T>
struct StatsArguments : args::SoftmaxStats<T> {
  void pointers(auto f) {
    f(this->logits), f(this->target), f(this->logp), f(this->entropy), f(this->lse);
  }
};

/// Distributes the columns of a row over the block: many(j, aligned) for N columns from j on, then
/// one(j) for the rest. The distribution does not depend on the row's alignment, otherwise the bits
/// of its sums would depend on its place in the batch; only a row aligned to 16 bytes (aligned) can
/// be loaded in vectors.
template <class T, class Many, class One>
__device__ __forceinline__ void for_row_of_block(const T* row, Index v, Many many, One one) {
  constexpr int N = wide<T>;
  const bool aligned = reinterpret_cast<std::uintptr_t>(row) % kVectorBytes == 0;
  const Index whole = v / N * N;
  for (Index j = Index{threadIdx.x} * N; j < whole; j += Index{blockDim.x} * N) many(j, aligned);
  for (Index j = whole + threadIdx.x; j < v; j += blockDim.x) one(j);
}

/// One block per row, which reads the logits once. Barriers: only inside block_max and block_sum.
template <class T>
__global__ void softmax_stats_kernel(StatsArguments<T> a) {
  for (Index r = blockIdx.x; r < a.n; r += gridDim.x) {
    const T* const row = a.logits + r * a.stride;
    SoftmaxSums sums;
    for_row_of_block(
        row, a.v,
        [&](Index j, bool aligned) {
          if (j >= kChainedColumns && j % kChainedColumns < Index{blockDim.x} * wide<T>)
            sums.end_chain();
          float z[wide<T>];
          load_floats(z, row + j, aligned);
          for (const float x : z) sums.add(x * a.inv_temperature);
        },
        [&](Index j) { sums.add(static_cast<float>(row[j]) * a.inv_temperature); });
    const float row_max = block_max(sums.row_max);
    if (row_max > sums.row_max) sums.raise(row_max);
    sums.finish();
    const float total = block_sum(sums.total), weighted = block_sum(sums.weighted);
    if (threadIdx.x != 0) continue;
    const float log_total = logf(total);
    const std::int32_t t = a.target[r];
    a.lse[r] = row_max + log_total;
    a.entropy[r] = log_total - weighted / total;
    a.logp[r] = 0;
    if (t >= 0 && t < a.v)
      a.logp[r] = static_cast<float>(row[t]) * a.inv_temperature - row_max - log_total;
  }
}

template <class T>
struct StatsBackwardArguments : args::SoftmaxStatsBackward<T> {
  void pointers(auto f) {
    f(this->logits), f(this->target), f(this->lse), f(this->entropy);
    f(this->dlogp), f(this->dentropy);
  }
};

/// One block per row; a thread overwrites the logits that it reads.
template <class T>
__global__ void softmax_stats_backward_kernel(StatsBackwardArguments<T> a) {
  for (Index r = blockIdx.x; r < a.n; r += gridDim.x) {
    T* const row = a.logits + r * a.stride;
    const Index target = a.target[r];
    const float dl = a.dlogp && target >= 0 ? a.dlogp[r] : 0.0f;
    const float dh = a.dentropy ? a.dentropy[r] : 0.0f, lse = a.lse[r];
    const float entropy = a.dentropy ? a.entropy[r] : 0.0f;
    const auto gradient = [&](Index j, float logit) {
      const float log_p = logit * a.inv_temperature - lse, p = expf(log_p);
      float dz = j == target ? dl : 0.0f;
      if ((dl != 0 || dh != 0) && p != 0) dz -= p * (dl + dh * (log_p + entropy));
      return a.inv_temperature * dz;
    };
    for_row_of_block(
        row, a.v,
        [&](Index j, bool aligned) {
          float z[wide<T>];
          load_floats(z, row + j, aligned);
          for (int i = 0; i < wide<T>; ++i) z[i] = gradient(j + i, z[i]);
          store_floats(row + j, z, aligned);
        },
        [&](Index j) { row[j] = T(gradient(j, static_cast<float>(row[j]))); });
  }
}

// ---- the gradient of an embedding ---------------------------------------------------------------

/// table[index[r]] += x[r] in ascending order of r, without atomics, reading only the table rows
/// that are indexed: row r's block continues only if r is the first row with its index, and then
/// adds all of them. The threads scan 128 indices at a time; each adds its own columns of the rows
/// found. Barrier 1 publishes the bits found, barrier 2 keeps them until all threads have read
/// them. All threads of a block see the same bits, so they take the same branches.
template <class T>
__global__ void embedding_gradient_kernel(Index n, Index c, const T* x, const std::int32_t* index,
                                          Index table_rows, T* table) {
  __shared__ unsigned found[kRowWarps];
  for (Index r = blockIdx.x; r < n; r += gridDim.x) {
    const Index id = index[r];
    if (id < 0 || id >= table_rows) continue;
    bool leads = true;
    for (Index first = 0; first < n && leads; first += kRowThreads) {
      const Index i = first + threadIdx.x;
      const unsigned bits = ballot(i < n && index[i] == id);
      if (lane() == 0) found[warp()] = bits;
      __syncthreads();
      for (int w = 0; w < kRowWarps && leads; ++w)
        for (unsigned left = found[w], bit = 0; left && leads; left >>= 1, ++bit) {
          if (!(left & 1)) continue;
          const Index at = first + w * kLanes + bit;
          leads = at >= r;
          for (Index j = threadIdx.x; leads && j < c; j += kRowThreads)
            table[id * c + j] += x[at * c + j];
        }
      __syncthreads();
    }
  }
}

}  // namespace gaze::cuda::vectorised
