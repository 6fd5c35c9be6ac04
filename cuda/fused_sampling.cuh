// SPDX-License-Identifier: MIT
// Choosing the next token of every row without the host: gaze/generate/sampling.hpp says what each
// setting means.
//
// One block per row of logits [n, v]. Probabilities p = e^(z - lse) are written to a room [n, v]
// and then read again for each question about them. What top_k and top_p keep is the largest so
// many, ties by ascending index: a threshold and how many of those equal to it. Non-negative floats
// order as their bits do, so a threshold is found bit by bit, each bit one sum over the row. Sums
// are in double, thread by thread over every 256th value, then folded: an order that the sizes
// alone decide. It is not the processor's, so tokens differ from it where u falls within rounding
// of a boundary between two tokens, and where the two devices' e^x differ by a last bit.
#pragma once
#include "cuda/fused_rows.cuh"
#include "gaze/core/philox.hpp"

namespace gaze::cuda::fused {

inline constexpr int kSampleThreads = 256;

struct Sampling {
  Index n, v;
  const float* logits;
  bool greedy;
  float inv_temperature;
  int top_k;
  double top_p, min_p;
  Philox random;
  const std::uint64_t* samples;  ///< [n], with `position` the address of a row's random number
  std::uint64_t position;
  float* room;  ///< [n, v]
  std::int32_t* token;
  float* logp;  ///< of the token, before anything was cut
  void pointers(auto f) { f(logits), f(samples), f(room), f(token), f(logp); }
};

/// The values above `bits`, and the first `ties` of those equal to it, are kept.
struct Threshold {
  unsigned bits;
  Index ties;
};

__device__ __forceinline__ unsigned float_bits(float x) { return std::bit_cast<unsigned>(x); }

/// What one block knows of its row.
struct SampleRow {
  const float* p;
  Index v;

  /// Sum of weight(p) over the row, the same in all threads.
  template <class F>
  __device__ double sum(F weight) const {
    double total = 0;
    for (Index j = threadIdx.x; j < v; j += blockDim.x) total += weight(p[j]);
    return block_sum(total);
  }
  __device__ double mass_from(unsigned bits) const {
    return sum([=](float x) { return float_bits(x) >= bits ? static_cast<double>(x) : 0.0; });
  }
  __device__ double count_from(unsigned bits) const {
    return sum([=](float x) { return float_bits(x) >= bits ? 1.0 : 0.0; });
  }
  /// The largest bits b with measure(b) >= least; measure falls as b rises, and measure(0) counts.
  template <class F>
  __device__ static unsigned search(double least, F measure) {
    unsigned bits = 0;
    for (int bit = 30; bit >= 0; --bit) {
      const unsigned higher = bits | 1u << bit;
      if (higher <= 0x7f800000u && measure(higher) >= least) bits = higher;
    }
    return bits;
  }

  __device__ Threshold largest(Index k) const {
    if (k >= v) return {0, v};
    const unsigned bits = search(static_cast<double>(k), [&](unsigned b) { return count_from(b); });
    return {bits, k - static_cast<Index>(count_from(bits + 1))};
  }

  /// The fewest of what `kept` keeps that have this share of its mass.
  __device__ Threshold nucleus(double top_p, const Threshold& kept) const {
    const auto mass = [&](unsigned bits) {
      if (bits > kept.bits) return mass_from(bits);
      return mass_from(kept.bits + 1) + static_cast<double>(kept.ties) * value(kept.bits);
    };
    const double want = top_p * mass(0);
    const unsigned at = search(want, mass);  // never below kept.bits: the mass is the same there
    double above = mass_from(at + 1);
    const Index most =
        at > kept.bits ? static_cast<Index>(count_from(at) - count_from(at + 1)) : kept.ties;
    Index ties = 0;
    for (; ties < most && above < want; ++ties) above += value(at);
    return {at, ties};
  }
  __device__ static double value(unsigned bits) {
    return static_cast<double>(std::bit_cast<float>(bits));
  }
};

/// The first column with the largest logit.
__device__ inline std::int32_t first_largest(const float* row, Index v) {
  float top = -std::numeric_limits<float>::infinity();
  for (Index j = threadIdx.x; j < v; j += blockDim.x) top = row[j] > top ? row[j] : top;
  top = block_max(top);
  double first = static_cast<double>(v);
  for (Index j = threadIdx.x; j < v; j += blockDim.x)
    if (row[j] == top && static_cast<double>(j) < first) first = static_cast<double>(j);
  first = -block_max(-first);
  return first < static_cast<double>(v) ? static_cast<std::int32_t>(first) : 0;  // all NaN: 0
}

/// Draws with u from what is kept of p: thread t sums its piece of consecutive columns, thread 0
/// finds the piece in which u falls, and walks it. Barrier 1 shows the ties of all pieces, 2 their
/// masses; block_max at the end hands the token to all.
__device__ inline std::int32_t draw_kept(const SampleRow& row, const Threshold& kept, double least,
                                         double u) {
  __shared__ Index ties[kSampleThreads];
  __shared__ double mass[kSampleThreads];
  const Index t = threadIdx.x, piece = (row.v + kSampleThreads - 1) / kSampleThreads;
  const auto end_of = [&](Index i) { return (i + 1) * piece < row.v ? (i + 1) * piece : row.v; };
  Index mine = 0;
  for (Index j = t * piece; j < end_of(t); ++j) mine += float_bits(row.p[j]) == kept.bits;
  ties[t] = mine;
  __syncthreads();
  // Weight of column j, where `seen` of those equal to the threshold came before.
  const auto weight = [&](Index j, Index& seen) {
    const float x = row.p[j];
    const unsigned bits = float_bits(x);
    const bool tie = bits == kept.bits;
    const bool keep = (bits > kept.bits || (tie && seen < kept.ties)) && x >= least;
    seen += tie;
    return keep ? static_cast<double>(x) : 0.0;
  };
  Index seen = 0;
  for (Index i = 0; i < t; ++i) seen += ties[i];
  double sum = 0;
  for (Index j = t * piece; j < end_of(t); ++j) sum += weight(j, seen);
  mass[t] = sum;
  __syncthreads();
  double token = t == 0 ? 0 : -1;  // 0 where nothing is left to draw from: a row of NaNs
  if (t == 0) {
    double left = 0;
    for (const double m : mass) left += m;
    left *= u;
    Index at = 0, passed = 0, passed_at = 0;  // the piece, and the ties before one
    bool inside = false;
    for (Index i = 0; i < kSampleThreads && !inside; ++i) {
      if (mass[i] > 0) {
        at = i;
        passed_at = passed;
        inside = left < mass[i];
        if (!inside) left -= mass[i];
      }
      passed += ties[i];
    }
    for (Index j = at * piece; j < end_of(at); ++j) {
      const double q = weight(j, passed_at);
      if (q <= 0) continue;
      token = static_cast<double>(j);
      if (inside && left < q) break;  // else rounding left nothing to fall in: the last one
      left -= q;
    }
  }
  return static_cast<std::int32_t>(block_max(token));
}

/// One block per row. Barriers beside those of sums and of draw_kept: p is written by all before
/// anyone reads another thread's part of it.
template <class T>
__global__ void __launch_bounds__(kSampleThreads) sample_kernel(const Sampling a) {
  for (Index r = blockIdx.x; r < a.n; r += gridDim.x) {
    const float* const logits = a.logits + r * a.v;
    SoftmaxSums sums;
    for (Index j = threadIdx.x; j < a.v; j += blockDim.x) sums.add(logits[j] * a.inv_temperature);
    const float top = block_max(sums.top);
    if (top > sums.top) sums.raise(top);
    const float lse = top + logf(block_sum(sums.total));
    std::int32_t token = 0;
    if (a.greedy) {
      token = first_largest(logits, a.v);
    } else {
      float* const p = a.room + r * a.v;
      for (Index j = threadIdx.x; j < a.v; j += blockDim.x)
        p[j] = expf(logits[j] * a.inv_temperature - lse);
      __syncthreads();
      const SampleRow row{p, a.v};
      Threshold kept = row.largest(a.top_k > 0 ? a.top_k : a.v);
      if (a.top_p < 1) kept = row.nucleus(a.top_p, kept);
      float most = 0;
      for (Index j = threadIdx.x; j < a.v; j += blockDim.x) most = fmaxf(most, p[j]);
      const double least = a.min_p * static_cast<double>(block_max(most));
      token = draw_kept(row, kept, least, a.random.uniform(a.samples[r], a.position));
    }
    if (threadIdx.x == 0) {
      a.token[r] = token;
      a.logp[r] = logits[token] * a.inv_temperature - lse;
    }
  }
}

}  // namespace gaze::cuda::fused
