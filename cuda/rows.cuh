// SPDX-License-Identifier: MIT
// Kernels over the rows of x [N, C]. A norm gives a row to one warp, whose lanes take every 32nd
// value and fold their sums; a softmax gives it to a block. Sums over rows (weight gradients) have
// one thread per column and piece of 64 rows, then one thread per column that adds the pieces in
// ascending order.
#pragma once
#include "cuda/device/loops.cuh"
#include "gaze/kernels/reduce.hpp"

namespace gaze::cuda {

inline constexpr Index kRowPiece = 64;  // rows whose values one thread adds up

/// The sum of f(j) over j < c, by all lanes of a warp; every lane gets it.
template <class T, class F>
__device__ T sum_of_row(Index c, F f) {
  double total = 0;
  for (Index first = 0; first < c; first += kChainedColumns) {
    const Index end = c - first > kChainedColumns ? first + kChainedColumns : c;
    T sum = 0;
    for (Index j = first + lane(); j < end; j += kLanes) sum += f(j);
    total += static_cast<double>(sum);
  }
  return warp_sum(static_cast<T>(total));
}

/// y = x s weight with s = 1 / sqrt(mean(x^2) + eps). y may be x: once the sum is known, only the
/// lane that writes a column reads it.
template <class T>
__global__ void rms_norm_forward_kernel(Index n, Index c, const T* x, const T* weight, T eps, T* y,
                                        T* inv_rms) {
  for_rows_of_warp(n, [&](Index r) {
    const T* const row = x + r * c;
    const T squares = sum_of_row<T>(c, [&](Index j) { return row[j] * row[j]; });
    const T inverse = 1 / std::sqrt(squares / static_cast<T>(c) + eps);
    for (Index j = lane(); j < c; j += kLanes) y[r * c + j] = row[j] * inverse * weight[j];
    if (lane() == 0) inv_rms[r] = inverse;
  });
}

/// dx = s dy weight - s^3 x mean(dy weight x). dx may be dy, for the same reason.
template <class T>
__global__ void rms_norm_backward_kernel(Index n, Index c, const T* x, const T* weight,
                                         const T* inv_rms, const T* dy, T* dx, bool accumulate) {
  for_rows_of_warp(n, [&](Index r) {
    const T s = inv_rms[r];
    const T dot =
        sum_of_row<T>(c, [&](Index j) { return dy[r * c + j] * weight[j] * x[r * c + j]; });
    const T factor = s * s * s * dot / static_cast<T>(c);
    for (Index j = lane(); j < c; j += kLanes) {
      const Index i = r * c + j;
      const T d = s * dy[i] * weight[j] - factor * x[i];
      dx[i] = accumulate ? dx[i] + d : d;
    }
  });
}

/// y = (x - mean) s weight + bias with s = 1 / sqrt(mean((x - mean)^2) + eps). y may be x.
template <class T>
__global__ void layer_norm_forward_kernel(Index n, Index c, const T* x, const T* weight,
                                          const T* bias, T eps, T* y, T* mean, T* inv_std) {
  for_rows_of_warp(n, [&](Index r) {
    const T* const row = x + r * c;
    const T row_mean = sum_of_row<T>(c, [&](Index j) { return row[j]; }) / static_cast<T>(c);
    const T squares =
        sum_of_row<T>(c, [&](Index j) { return (row[j] - row_mean) * (row[j] - row_mean); });
    const T inverse = 1 / std::sqrt(squares / static_cast<T>(c) + eps);
    for (Index j = lane(); j < c; j += kLanes)
      y[r * c + j] = (row[j] - row_mean) * inverse * weight[j] + bias[j];
    if (lane() == 0) {
      mean[r] = row_mean;
      inv_std[r] = inverse;
    }
  });
}

/// With u = (x - mean) s and g = dy weight: dx = s (g - mean(g) - u mean(g u)). dx may be dy.
template <class T>
__global__ void layer_norm_backward_kernel(Index n, Index c, const T* x, const T* weight,
                                           const T* mean, const T* inv_std, const T* dy, T* dx,
                                           bool accumulate) {
  for_rows_of_warp(n, [&](Index r) {
    const T row_mean = mean[r], inverse = inv_std[r];
    const auto normed = [&](Index j) { return (x[r * c + j] - row_mean) * inverse; };
    const T total = sum_of_row<T>(c, [&](Index j) { return dy[r * c + j] * weight[j]; });
    const T dot = sum_of_row<T>(c, [&](Index j) { return dy[r * c + j] * weight[j] * normed(j); });
    for (Index j = lane(); j < c; j += kLanes) {
      const Index i = r * c + j;
      const T d = inverse * (dy[i] * weight[j] - (total + normed(j) * dot) / static_cast<T>(c));
      dx[i] = accumulate ? dx[i] + d : d;
    }
  });
}

// ---- sums over rows -----------------------------------------------------------------------------

/// partial[piece, j] = sum of value(r, j) over the piece's rows, ascending. Grid: (columns,
/// pieces).
template <class T, class F>
__global__ void column_pieces_kernel(Index n, Index c, F value, T* partial) {
  const Index j = thread_index(), step = gridDim.y;
  if (j >= c) return;
  for (Index piece = blockIdx.y; piece * kRowPiece < n; piece += step) {
    const Index end = (piece + 1) * kRowPiece < n ? (piece + 1) * kRowPiece : n;
    T sum = 0;
    for (Index r = piece * kRowPiece; r < end; ++r) sum += value(r, j);
    partial[piece * c + j] = sum;
  }
}

/// The sum of a column's pieces, c apart, in ascending order; chains of kChainedBlocks are added in
/// double.
template <class T>
__device__ T sum_of_pieces(Index pieces, Index c, const T* partial) {
  double total = 0;
  for (Index first = 0; first < pieces; first += kChainedBlocks) {
    const Index end = pieces - first > kChainedBlocks ? first + kChainedBlocks : pieces;
    T sum = 0;
    for (Index p = first; p < end; ++p) sum += partial[p * c];
    total += static_cast<double>(sum);
  }
  return static_cast<T>(total);
}

/// out[j] += the column's pieces, ascending.
template <class T>
struct AddPieces {
  Index pieces, c;
  const T* partial;
  T* out;
  __device__ void operator()(Index j) const { out[j] += sum_of_pieces(pieces, c, partial + j); }
  void pointers(auto f) { f(partial), f(out); }
};

/// x itself; for x = dy, the sum over rows is the gradient of a bias.
template <class T>
struct ColumnValue {
  Index c;
  const T* x;
  __device__ T operator()(Index r, Index j) const { return x[r * c + j]; }
  void pointers(auto f) { f(x); }
};

/// dy (x - mean) scale, with the row's mean (null: 0) and scale: the gradient of a norm's weight.
template <class T>
struct NormWeightValue {
  Index c;
  const T *x, *dy, *mean, *scale;
  __device__ T operator()(Index r, Index j) const {
    const Index i = r * c + j;
    return dy[i] * (x[i] - (mean ? mean[r] : T(0))) * scale[r];
  }
  void pointers(auto f) { f(x), f(dy), f(mean), f(scale); }
};

// ---- rotary positions ---------------------------------------------------------------------------

/// One thread per row and pair (a, b) = x[i], x[i + D/2], for all heads: a becomes a cos - b sin, b
/// becomes b cos + a sin of the angle position theta^(-2i/D). Angles are computed in double.
template <class T>
struct RotatePair {
  Index heads, head_size, stride;
  const std::int32_t* position;
  double log_theta;
  T sign;
  T* x;
  __device__ void operator()(Index index) const {
    const Index half = head_size / 2, r = index / half, i = index % half;
    const double turn =
        std::exp(-2.0 * static_cast<double>(i) / static_cast<double>(head_size) * log_theta);
    const double angle = static_cast<double>(position[r]) * turn;
    const T c = static_cast<T>(std::cos(angle)), s = sign * static_cast<T>(std::sin(angle));
    for (Index h = 0; h < heads; ++h) {
      T* const low = x + r * stride + h * head_size + i;
      const T a = low[0], b = low[half];
      low[0] = a * c - b * s;
      low[half] = b * c + a * s;
    }
  }
  void pointers(auto f) { f(position), f(x); }
};

// ---- softmax ------------------------------------------------------------------------------------

/// One block per row: the largest logit, then the sums of e^z and z e^z with z shifted by it. With
/// p = softmax(z): lse = log sum e^z, entropy = lse - sum p z, logp = z[target] - lse.
template <class T>
__global__ void softmax_stats_kernel(Index n, Index v, const T* logits, Index stride,
                                     T inv_temperature, const std::int32_t* target, T* logp,
                                     T* entropy, T* lse) {
  for (Index r = blockIdx.x; r < n; r += gridDim.x) {
    const T* const row = logits + r * stride;
    T row_max = -std::numeric_limits<T>::infinity();
    for (Index j = threadIdx.x; j < v; j += blockDim.x) {
      const T z = row[j] * inv_temperature;
      row_max = z > row_max ? z : row_max;
    }
    row_max = block_max(row_max);
    double totals = 0, weights = 0;
    for (Index first = 0; first < v; first += kChainedColumns) {
      const Index end = v - first > kChainedColumns ? first + kChainedColumns : v;
      T total = 0, weighted = 0;
      for (Index j = first + threadIdx.x; j < end; j += blockDim.x) {
        const T z = row[j] * inv_temperature - row_max, e = std::exp(z);
        total += e;
        if (e != 0) weighted += e * z;
      }
      totals += static_cast<double>(total);
      weights += static_cast<double>(weighted);
    }
    const T total = block_sum(static_cast<T>(totals)),
            weighted = block_sum(static_cast<T>(weights));
    if (threadIdx.x == 0) {
      const T log_total = std::log(total);
      const std::int32_t t = target[r];
      lse[r] = row_max + log_total;
      entropy[r] = log_total - weighted / total;
      logp[r] = t >= 0 && t < v ? row[t] * inv_temperature - row_max - log_total : T(0);
    }
  }
}

/// One thread per logit, which it overwrites with its gradient (kernels/rows.hpp).
template <class T>
struct SoftmaxStatsGrad {
  Index v, stride;
  T inv_temperature;
  T* logits;
  const std::int32_t* target;
  const T *lse, *entropy, *dlogp, *dentropy;
  __device__ void operator()(Index i) const {
    const Index r = i / v, j = i % v;
    T& logit = logits[r * stride + j];
    const T dl = dlogp && target[r] >= 0 ? dlogp[r] : T(0), dh = dentropy ? dentropy[r] : T(0);
    const T log_p = logit * inv_temperature - lse[r], p = std::exp(log_p);
    T dz = j == target[r] ? dl : T(0);
    if ((dl != 0 || dh != 0) && p != 0)
      dz -= p * (dl + (dentropy ? dh * (log_p + entropy[r]) : T(0)));
    logit = inv_temperature * dz;
  }
  void pointers(auto f) { f(logits), f(target), f(lse), f(entropy), f(dlogp), f(dentropy); }
};

// ---- rows by index ------------------------------------------------------------------------------

/// y[r] = table[index[r]], or zeros where the index is negative.
template <class T, class From = T>
struct GatherRows {
  Index c;
  const From* table;
  const std::int32_t* index;
  T* out;
  __device__ void operator()(Index i) const {
    const Index from = index[i / c];
    out[i] = from >= 0 ? static_cast<T>(table[from * c + i % c]) : T(0);
  }
  void pointers(auto f) { f(table), f(index), f(out); }
};

/// One block per row of the table. The threads scan the indices together, kRowThreads at a time: a
/// thread that finds the row sets its bit, then each thread adds its own columns of the rows found,
/// in ascending order: the same additions as on the CPU. The first barrier publishes the bits, the
/// second keeps them until all threads have read them.
template <class T>
__global__ void scatter_add_rows_kernel(Index n, Index c, const T* x, const std::int32_t* index,
                                        Index table_rows, T* table) {
  __shared__ unsigned found[kRowWarps];
  for (Index row = blockIdx.x; row < table_rows; row += gridDim.x)
    for (Index first = 0; first < n; first += kRowThreads) {
      const Index i = first + threadIdx.x;
      const unsigned bits = ballot(i < n && index[i] == row);
      if (lane() == 0) found[warp()] = bits;
      __syncthreads();
      for (int w = 0; w < kRowWarps; ++w)
        for (unsigned left = found[w], bit = 0; left; left >>= 1, ++bit) {
          if (!(left & 1)) continue;
          const T* const from = x + (first + w * kLanes + bit) * c;
          for (Index j = threadIdx.x; j < c; j += kRowThreads) table[row * c + j] += from[j];
        }
      __syncthreads();
    }
}

}  // namespace gaze::cuda
