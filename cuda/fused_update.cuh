// SPDX-License-Identifier: MIT
// The end of a step: AdamW with its bf16 working copy, the embedding's gradient.
#pragma once
#include "cuda/fused_rows.cuh"
#include "gaze/kernels/settings.hpp"

namespace gaze::cuda::fused {

/// AdamW on float masters, four values a thread, and their rounded copy where there is one
/// (gaze/cpu/optimiser.hpp has the formula). n is a multiple of 4: packs are padded to 16.
struct WideAdamW {
  AdamWStep<float> s;
  float inverse1, inverse_root2, grad_scale;
  float* param;
  const float* grad;
  float *m, *v;
  bf16* copy;  ///< or null

  __device__ void operator()(Index i) const {
    constexpr int N = wide<float>;
    float p[N], g[N], first[N], second[N];
    load_floats(p, param + i * N);
    load_floats(g, grad + i * N);
    load_floats(first, m + i * N);
    load_floats(second, v + i * N);
    for (int e = 0; e < N; ++e) {
      const float x = g[e] * grad_scale;
      first[e] = s.beta1 * first[e] + (1 - s.beta1) * x;
      second[e] = s.beta2 * second[e] + (1 - s.beta2) * x * x;
      const float step = first[e] * inverse1 / (sqrtf(second[e]) * inverse_root2 + s.eps);
      p[e] -= s.lr * (step + s.weight_decay * p[e]);
    }
    store_floats(param + i * N, p);
    store_floats(m + i * N, first);
    store_floats(v + i * N, second);
    if (copy) store_floats(copy + i * N, p);
  }
  void pointers(auto f) { f(param), f(grad), f(m), f(v), f(copy); }
};

/// table[index[r]] += x[r] in ascending order of r, without atomics and without a look at rows of
/// the table that are not named: row r's block goes on only if r is the first row with its index,
/// and then adds all of them. Threads look through 128 indices at a time; each adds its own columns
/// of the rows found. Barrier 1 shows the bits found to all, barrier 2 keeps them until all have
/// read; all threads of a block see the same bits, so they stay together.
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
          const Index at = first + w * kWarp + bit;
          leads = at >= r;
          for (Index j = threadIdx.x; leads && j < c; j += kRowThreads)
            table[id * c + j] += x[at * c + j];
        }
      __syncthreads();
    }
  }
}

}  // namespace gaze::cuda::fused
