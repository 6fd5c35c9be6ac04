// SPDX-License-Identifier: MIT
// Drawing tokens and moving on by one, on the device.
#pragma once
#include "cuda/elements.cuh"
#include "cuda/generate.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/kernels/attention_layout.hpp"

namespace gaze::cuda {

inline constexpr int kDrawThreads = 128, kDrawWarps = kDrawThreads / kWarp;

template <class T>
struct DrawInputs {
  Index n, v;
  const T* logits;
  T inv_temperature;
  const T* lse;
  Philox random;
  const std::uint64_t* sample;
  const std::int32_t* step;
  void pointers(auto f) { f(logits), f(lse), f(sample), f(step); }

  /// The probability of token j in row r, as a float: the host draws from floats too.
  __device__ double probability(Index r, Index j) const {
    if (j >= v) return 0;
    return static_cast<double>(
        static_cast<float>(std::exp(logits[r * v + j] * inv_temperature - lse[r])));
  }
};

/// The first of the largest logits; one warp, all lanes get it.
template <class T>
__device__ Index likeliest(const T* row, Index v) {
  T top = -std::numeric_limits<T>::infinity();
  Index at = v;
  for (Index j = lane(); j < v; j += kWarp)
    if (at == v || row[j] > top) {
      top = row[j];
      at = j;
    }
  const T highest = warp_max(top);
  const auto first = [](Index a, Index b) { return a < b ? a : b; };
  return warp_fold(at < v && top == highest ? at : v, first);
}

/// Walks the probabilities in ascending order until u times their sum is used up: chunks of 32 as a
/// whole, then the tokens of the chunk one by one. One warp, all lanes get the token; -1 where no
/// token has any probability.
template <class T>
__device__ Index drawn(const DrawInputs<T>& in, Index r) {
  double mine = 0;
  for (Index j = lane(); j < in.v; j += kWarp) mine += in.probability(r, j);
  double left =
      in.random.uniform(in.sample[r], static_cast<std::uint64_t>(*in.step)) * warp_sum(mine);
  Index last = -1;  // the last token with any probability, for what rounding leaves over
  for (Index first = 0; first < in.v; first += kWarp) {
    const double q = in.probability(r, first + lane());
    const double chunk = warp_sum(q);
    const unsigned some = ballot(q > 0);
    for (int i = 0; i < kWarp; ++i)
      if (some >> i & 1) last = first + i;
    if (left >= chunk) {
      left -= chunk;
      continue;
    }
    for (int i = 0; i < kWarp; ++i) {
      const double p = shuffle(q, i);
      if (p <= 0) continue;
      last = first + i;
      if (left < p) return last;
      left -= p;
    }
  }
  return last;
}

/// A warp per row; the choice between the two ways is the same in all warps.
template <class T>
__global__ void draw_tokens_kernel(DrawInputs<T> in, bool greedy, std::int32_t* token) {
  const Index step = Index{gridDim.x} * kDrawWarps;
  for (Index r = Index{blockIdx.x} * kDrawWarps + warp(); r < in.n; r += step) {
    const Index chosen = greedy ? likeliest(in.logits + r * in.v, in.v) : drawn(in, r);
    if (lane() == 0) token[r] = static_cast<std::int32_t>(chosen < in.v ? chosen : -1);
  }
}

template <class T>
struct Keep {
  Index n;
  const T* x;
  const std::int32_t* step;
  T* all;
  __device__ void operator()(Index i) const { all[*step * n + i] = x[i]; }
  void pointers(auto f) { f(x), f(step), f(all); }
};

struct Advance {
  std::int32_t *position, *slot;
  KeyRange* keys;
  __device__ void operator()(Index i) const {
    ++position[i];
    ++slot[i];
    ++keys[i].own_len;
  }
  void pointers(auto f) { f(position), f(slot), f(keys); }
};

struct NextStep {
  std::int32_t* step;
  __device__ void operator()(Index) const { ++*step; }
  void pointers(auto f) { f(step); }
};

}  // namespace gaze::cuda
