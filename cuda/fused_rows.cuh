// SPDX-License-Identifier: MIT
// Rows [N, C] in accesses of 16 bytes, for float and for bf16 with float statistics and gradients.
//
// A norm gives a row to a warp: lane l takes N columns at a time, from l N on, in steps of 32 N,
// and reads the row again (from the cache) for each pass over it; it writes the columns that it
// read, so y may be x and dx may be dy. Columns are a multiple of N and rows begin at multiples of
// 16 bytes: so whole vectors stay in their row. No barriers but the shuffles of the sums.
#pragma once
#include "cuda/device/device.cuh"
#include "gaze/core/bf16.hpp"
#include "gaze/kernels/settings.hpp"

namespace gaze::cuda::fused {

inline constexpr int kWideBytes = 16;
inline constexpr int kRowThreads = 128, kRowWarps = kRowThreads / kWarp;
inline constexpr int kPieceRows = 64;  ///< rows whose values one thread adds up

/// Elements of one access.
template <class T>
inline constexpr int wide = kWideBytes / static_cast<int>(sizeof(T));

/// N values as floats, in accesses of at most 16 bytes.
template <int N, class T>
__device__ __forceinline__ void load_floats(float (&x)[N], const T* from) {
  constexpr int each = N < wide<T> ? N : wide<T>;
  for (int i = 0; i < N; i += each) {
    const Vector<T, each> v = load<each>(from + i);
    for (int j = 0; j < each; ++j) x[i + j] = static_cast<float>(v[j]);
  }
}
/// One by one where the address is not aligned.
template <int N, class T>
__device__ __forceinline__ void load_floats(float (&x)[N], const T* from, bool aligned) {
  if (aligned) return load_floats(x, from);
  for (int i = 0; i < N; ++i) x[i] = static_cast<float>(from[i]);
}
template <int N, class T>
__device__ __forceinline__ void store_floats(T* to, const float (&x)[N]) {
  constexpr int each = N < wide<T> ? N : wide<T>;
  for (int i = 0; i < N; i += each) {
    Vector<T, each> v;
    for (int j = 0; j < each; ++j) v[j] = T(x[i + j]);
    store(to + i, v);
  }
}
template <int N, class T>
__device__ __forceinline__ void store_floats(T* to, const float (&x)[N], bool aligned) {
  if (aligned) return store_floats(to, x);
  for (int i = 0; i < N; ++i) to[i] = T(x[i]);
}

/// Rows of this warp: f(row).
template <class F>
__device__ void for_rows(Index n, F f) {
  const Index step = Index{gridDim.x} * kRowWarps;
  for (Index r = Index{blockIdx.x} * kRowWarps + warp(); r < n; r += step) f(r);
}
/// Columns of this lane, N at a time: f(first).
template <int N, class F>
__device__ __forceinline__ void for_columns(Index c, F f) {
  for (Index j = Index{lane()} * N; j < c; j += Index{kWarp} * N) f(j);
}

/// This lane's share of two sums over c columns: add(first column, a, b) adds those of N columns to
/// both. kChainedColumns columns are a chain, of which there may be many.
template <int N, class F>
__device__ __forceinline__ void sum_columns(Index c, float& a, float& b, F add) {
  double total_a = 0, total_b = 0;
  for (Index begin = 0; begin < c; begin += kChainedColumns) {
    a = b = 0;
    const Index end = c - begin > kChainedColumns ? begin + kChainedColumns : c;
    for (Index j = begin + Index{lane()} * N; j < end; j += Index{kWarp} * N) add(j, a, b);
    total_a += a;
    total_b += b;
  }
  a = static_cast<float>(total_a);
  b = static_cast<float>(total_b);
}

// ---- norms --------------------------------------------------------------------------------------
// y = u weight (+ bias) with u = (x - mean) scale; mean is 0 and there is no bias unless Centred.

template <class T>
struct Norm {
  Index n, c;
  const T *x, *weight, *bias;
  float eps;
  T* y;
  float *mean, *scale;  ///< [n], mean only if centred
  void pointers(auto f) { f(x), f(weight), f(bias), f(y), f(mean), f(scale); }
};

template <class T, bool Centred>
__global__ void norm_forward_kernel(Norm<T> a) {
  constexpr int N = wide<T>;
  for_rows(a.n, [&](Index r) {
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
  for_rows(a.n, [&](Index r) {
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

/// dweight[piece] = sum over the piece's rows of dy u, dbias[piece] of dy: N columns a thread, rows
/// ascending. Grid: (columns, pieces). Runs before norm_backward_kernel, whose dx may be dy.
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

/// out[j] += the column's pieces in ascending order, one thread a column.
struct AddColumnPieces {
  Index pieces, c;
  const float* partial;
  float* out;
  __device__ void operator()(Index j) const {
    double total = 0;
    for (Index first = 0; first < pieces; first += kChainedBlocks) {
      const Index end = pieces - first > kChainedBlocks ? first + kChainedBlocks : pieces;
      float sum = 0;
      for (Index p = first; p < end; ++p) sum += partial[p * c + j];
      total += sum;
    }
    out[j] += static_cast<float>(total);
  }
  void pointers(auto f) { f(partial), f(out); }
};

// ---- SwiGLU, gelu with a bias -------------------------------------------------------------------
// N values a thread; i counts vectors.

__device__ __forceinline__ float sigmoid(float x) { return 1 / (1 + expf(-x)); }

/// y [n, c] = silu(gate) up from rows gate | up of gate_up [n, 2 c].
template <class T>
struct WideSwiglu {
  Index c;
  const T* gate_up;
  T* y;
  __device__ void operator()(Index i) const {
    constexpr int N = wide<T>;
    const Index vectors = c / N, row = i / vectors, j = i % vectors * N;
    float gate[N], up[N];
    load_floats(gate, gate_up + 2 * row * c + j);
    load_floats(up, gate_up + (2 * row + 1) * c + j);
    for (int e = 0; e < N; ++e) up[e] *= gate[e] * sigmoid(gate[e]);
    store_floats(y + row * c + j, up);
  }
  void pointers(auto f) { f(gate_up), f(y); }
};

template <class T>
struct WideSwigluGrad {
  Index c;
  const T* gate_up;
  const float* dy;
  float* dgate_up;
  __device__ void operator()(Index i) const {
    constexpr int N = wide<T>;
    const Index vectors = c / N, row = i / vectors, j = i % vectors * N;
    float gate[N], up[N], d[N];
    load_floats(gate, gate_up + 2 * row * c + j);
    load_floats(up, gate_up + (2 * row + 1) * c + j);
    load_floats(d, dy + row * c + j);
    for (int e = 0; e < N; ++e) {
      const float s = sigmoid(gate[e]), silu = gate[e] * s;
      gate[e] = d[e] * up[e] * (s + silu * (1 - s));
      up[e] = d[e] * silu;
    }
    store_floats(dgate_up + 2 * row * c + j, gate);
    store_floats(dgate_up + (2 * row + 1) * c + j, up);
  }
  void pointers(auto f) { f(gate_up), f(dy), f(dgate_up); }
};

/// gelu, the tanh form, and its slope; k = sqrt(2 / pi).
struct Gelu {
  float value, slope;
  __device__ explicit Gelu(float x) {
    constexpr float k = 0.79788456080286536f, cubic = 0.044715f;
    const float t = tanhf(k * (x + cubic * x * x * x));
    value = x / 2 * (1 + t);
    slope = (1 + t) / 2 + x / 2 * (1 - t * t) * k * (1 + 3 * cubic * x * x);
    if (x < -20 || x > 20) slope = x > 0;  // to rounding; x^2 must not overflow
  }
};

/// y [n, c] = gelu(x + bias), bias [c].
template <class T>
struct BiasGelu {
  Index c;
  const T *x, *bias;
  T* y;
  __device__ void operator()(Index i) const {
    constexpr int N = wide<T>;
    float v[N], b[N];
    load_floats(v, x + i * N);
    load_floats(b, bias + i % (c / N) * N);
    for (int e = 0; e < N; ++e) v[e] = Gelu(v[e] + b[e]).value;
    store_floats(y + i * N, v);
  }
  void pointers(auto f) { f(x), f(bias), f(y); }
};

/// dx = dy gelu'(x + bias); dx may be dy. The bias's gradient is dx's column sum.
template <class T>
struct BiasGeluGrad {
  Index c;
  const T *x, *bias;
  const float* dy;
  float* dx;
  __device__ void operator()(Index i) const {
    constexpr int N = wide<T>;
    float v[N], b[N], d[N];
    load_floats(v, x + i * N);
    load_floats(b, bias + i % (c / N) * N);
    load_floats(d, dy + i * N);
    for (int e = 0; e < N; ++e) d[e] *= Gelu(v[e] + b[e]).slope;
    store_floats(dx + i * N, d);
  }
  void pointers(auto f) { f(x), f(bias), f(dy), f(dx); }
};

// ---- softmax ------------------------------------------------------------------------------------

/// Sums over some z: the largest, of e^(z - top), and of (z - top) e^(z - top). What a thread has
/// added of many columns is put by in double (put_by, then take_back).
struct SoftmaxSums {
  float top = -std::numeric_limits<float>::infinity(), total = 0, weighted = 0;
  double old_total = 0, old_weighted = 0;

  __device__ void add(float z) {
    if (z == -std::numeric_limits<float>::infinity()) return;
    if (z > top) raise(z);
    const float e = expf(z - top);
    total += e;
    if (e != 0) weighted += e * (z - top);
  }
  /// The same sums from a higher top.
  __device__ void raise(float to) {
    const float shift = top - to, fade = expf(shift);
    weighted = fade != 0 ? fade * (weighted + shift * total) : 0;
    total *= fade;
    old_weighted = fade != 0 ? fade * (old_weighted + shift * old_total) : 0;
    old_total *= fade;
    top = to;
  }
  __device__ void put_by() {
    old_total += total;
    old_weighted += weighted;
    total = weighted = 0;
  }
  __device__ void take_back() {
    put_by();
    total = static_cast<float>(old_total);
    weighted = static_cast<float>(old_weighted);
  }
};

template <class T>
struct SoftmaxStats {
  Index n, v, stride;
  const T* logits;
  float inv_temperature;
  const std::int32_t* target;
  float *logp, *entropy, *lse;
  void pointers(auto f) { f(logits), f(target), f(logp), f(entropy), f(lse); }
};

/// The columns of a row, by all threads of the block: many(j, aligned) of N columns from j on, then
/// one(j) of what is left. Which thread has which does not depend on where the row begins, or the
/// bits of its sums would depend on its place in the batch; only a row that begins at a multiple of
/// 16 bytes (aligned) can be loaded in vectors.
template <class T, class Many, class One>
__device__ __forceinline__ void for_row_of_block(const T* row, Index v, Many many, One one) {
  constexpr int N = wide<T>;
  const bool aligned = reinterpret_cast<std::uintptr_t>(row) % kWideBytes == 0;
  const Index whole = v / N * N;
  for (Index j = Index{threadIdx.x} * N; j < whole; j += Index{blockDim.x} * N) many(j, aligned);
  for (Index j = whole + threadIdx.x; j < v; j += blockDim.x) one(j);
}

/// One block per row, which reads the logits once. Barriers: inside block_max and block_sum.
template <class T>
__global__ void softmax_stats_kernel(SoftmaxStats<T> a) {
  for (Index r = blockIdx.x; r < a.n; r += gridDim.x) {
    const T* const row = a.logits + r * a.stride;
    SoftmaxSums sums;
    for_row_of_block(
        row, a.v,
        [&](Index j, bool aligned) {
          if (j >= kChainedColumns && j % kChainedColumns < Index{blockDim.x} * wide<T>)
            sums.put_by();
          float z[wide<T>];
          load_floats(z, row + j, aligned);
          for (const float x : z) sums.add(x * a.inv_temperature);
        },
        [&](Index j) { sums.add(static_cast<float>(row[j]) * a.inv_temperature); });
    const float top = block_max(sums.top);
    if (top > sums.top) sums.raise(top);
    sums.take_back();
    const float total = block_sum(sums.total), weighted = block_sum(sums.weighted);
    if (threadIdx.x != 0) continue;
    const float log_total = logf(total);
    const std::int32_t t = a.target[r];
    a.lse[r] = top + log_total;
    a.entropy[r] = log_total - weighted / total;
    a.logp[r] = 0;
    if (t >= 0 && t < a.v)
      a.logp[r] = static_cast<float>(row[t]) * a.inv_temperature - top - log_total;
  }
}

template <class T>
struct SoftmaxStatsGrad {
  Index n, v, stride;
  T* logits;
  float inv_temperature;
  const std::int32_t* target;
  const float *lse, *entropy, *dlogp, *dentropy;  ///< dlogp and dentropy may be null
  void pointers(auto f) { f(logits), f(target), f(lse), f(entropy), f(dlogp), f(dentropy); }
};

/// One block per row; a thread overwrites the logits that it reads.
template <class T>
__global__ void softmax_stats_backward_kernel(SoftmaxStatsGrad<T> a) {
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

}  // namespace gaze::cuda::fused
