// SPDX-License-Identifier: MIT
// Drawing the next token of every row on the device, storing it, and moving on to the next step;
// gaze/generate/sampling.hpp defines the settings.
//
// Without limits on the tail, a warp has a row of logits [n, v]. With limits, a block has one: it
// writes the probabilities p = e^(z - lse) to a scratch buffer [n, v] and reads them again for each
// sum over them. top_k and top_p keep the largest values, ties by ascending index: a threshold, and
// a number of values equal to it. Non-negative floats order as their bits do, so a threshold is
// found bit by bit, each bit with one sum over the row. Sums are in double, thread by thread over
// every 256th value, then folded: an order that depends only on the sizes. It differs from the
// CPU's, so tokens differ where u falls within rounding of a boundary between two tokens, and where
// e^x differs in its last bit.
#pragma once
#include "cuda/device/loops.cuh"
#include "gaze/kernels/sampling.hpp"

namespace gaze::cuda {

inline constexpr int kDrawThreads = 128, kDrawWarps = kDrawThreads / kLanes;

template <class T>
struct DrawArguments : args::DrawTokens<T> {
  void pointers(auto f) {
    f(this->logits), f(this->lse), f(this->sample), f(this->step), f(this->token);
  }

  /// The probability of token j in row r, rounded to float: the host draws from floats too.
  __device__ double probability(Index r, Index j) const {
    if (j >= this->v) return 0;
    const T logit = this->logits[r * this->v + j];
    return static_cast<double>(
        static_cast<float>(std::exp(logit * this->inv_temperature - this->lse[r])));
  }
  __device__ double uniform(Index r) const {
    return this->random.uniform(this->sample[r], static_cast<std::uint64_t>(*this->step));
  }
};

// ---- drawing from the whole distribution --------------------------------------------------------

/// Index of the first of the largest logits. One warp; all lanes get it.
template <class T>
__device__ Index likeliest(const T* row, Index v) {
  T row_max = -std::numeric_limits<T>::infinity();
  Index at = v;
  for (Index j = lane(); j < v; j += kLanes)
    if (at == v || row[j] > row_max) {
      row_max = row[j];
      at = j;
    }
  const T highest = warp_max(row_max);
  const auto first = [](Index a, Index b) { return a < b ? a : b; };
  return warp_fold(at < v && row_max == highest ? at : v, first);
}

/// Walks the probabilities in ascending order until u times their sum is used up: whole chunks of
/// 32, then the tokens of one chunk. One warp; all lanes get the token, -1 where no token has any
/// probability.
template <class T>
__device__ Index drawn(const DrawArguments<T>& a, Index r) {
  double mine = 0;
  for (Index j = lane(); j < a.v; j += kLanes) mine += a.probability(r, j);
  double left = a.uniform(r) * warp_sum(mine);
  Index last = -1;  // the last token with any probability, chosen if rounding leaves a rest
  for (Index first = 0; first < a.v; first += kLanes) {
    const double q = a.probability(r, first + lane());
    const double chunk = warp_sum(q);
    const unsigned some = ballot(q > 0);
    for (int i = 0; i < kLanes; ++i)
      if (some >> i & 1) last = first + i;
    if (left >= chunk) {
      left -= chunk;
      continue;
    }
    for (int i = 0; i < kLanes; ++i) {
      const double p = shuffle(q, i);
      if (p <= 0) continue;
      last = first + i;
      if (left < p) return last;
      left -= p;
    }
  }
  return last;
}

/// A warp per row. `greedy` is the same in all warps.
template <class T>
__global__ void draw_tokens_kernel(DrawArguments<T> a) {
  const Index step = Index{gridDim.x} * kDrawWarps;
  for (Index r = Index{blockIdx.x} * kDrawWarps + warp(); r < a.n; r += step) {
    const Index chosen = a.greedy ? likeliest(a.logits + r * a.v, a.v) : drawn(a, r);
    if (lane() == 0) a.token[r] = static_cast<std::int32_t>(chosen < a.v ? chosen : -1);
  }
}

// ---- drawing from a cut tail --------------------------------------------------------------------

inline constexpr int kSampleThreads = 256;

/// Keeps the values above `bits`, and the first `ties` values equal to it.
struct Threshold {
  unsigned bits;
  Index ties;
};

__device__ __forceinline__ unsigned float_bits(float x) { return std::bit_cast<unsigned>(x); }

/// The probabilities of one block's row.
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
  /// The largest bits b with measure(b) >= min, assuming measure(0) >= min; measure falls as b
  /// rises.
  template <class F>
  __device__ static unsigned search(double min, F measure) {
    unsigned bits = 0;
    for (int bit = 30; bit >= 0; --bit) {
      const unsigned higher = bits | 1u << bit;
      if (higher <= 0x7f800000u && measure(higher) >= min) bits = higher;
    }
    return bits;
  }

  __device__ Threshold largest(Index k) const {
    if (k >= v) return {0, v};
    const unsigned bits = search(static_cast<double>(k), [&](unsigned b) { return count_from(b); });
    return {bits, k - static_cast<Index>(count_from(bits + 1))};
  }

  /// The smallest part of what `kept` keeps that has the share top_p of its mass.
  __device__ Threshold nucleus(double top_p, const Threshold& kept) const {
    const auto mass = [&](unsigned bits) {
      if (bits > kept.bits) return mass_from(bits);
      return mass_from(kept.bits + 1) + static_cast<double>(kept.ties) * value(kept.bits);
    };
    const double wanted = top_p * mass(0);
    const unsigned at = search(wanted, mass);  // never below kept.bits: the mass is the same there
    double above = mass_from(at + 1);
    const Index max_ties =
        at > kept.bits ? static_cast<Index>(count_from(at) - count_from(at + 1)) : kept.ties;
    Index ties = 0;
    for (; ties < max_ties && above < wanted; ++ties) above += value(at);
    return {at, ties};
  }
  __device__ static double value(unsigned bits) {
    return static_cast<double>(std::bit_cast<float>(bits));
  }
};

/// Draws with u from the kept values of p: thread t sums its piece of consecutive columns, then
/// thread 0 finds the piece that contains u and walks it. Barrier 1 publishes the ties of all
/// pieces, barrier 2 their masses; block_max at the end gives the token to all threads.
__device__ inline std::int32_t draw_kept(const SampleRow& row, const Threshold& kept, double min,
                                         double u) {
  __shared__ Index ties[kSampleThreads];
  __shared__ double mass[kSampleThreads];
  const Index t = threadIdx.x, piece = (row.v + kSampleThreads - 1) / kSampleThreads;
  const auto end_of = [&](Index i) { return (i + 1) * piece < row.v ? (i + 1) * piece : row.v; };
  Index mine = 0;
  for (Index j = t * piece; j < end_of(t); ++j) mine += float_bits(row.p[j]) == kept.bits;
  ties[t] = mine;
  __syncthreads();
  // Weight of column j, after `seen` values equal to the threshold.
  const auto weight = [&](Index j, Index& seen) {
    const float x = row.p[j];
    const unsigned bits = float_bits(x);
    const bool tie = bits == kept.bits;
    const bool keep = (bits > kept.bits || (tie && seen < kept.ties)) && x >= min;
    seen += tie;
    return keep ? static_cast<double>(x) : 0.0;
  };
  Index seen = 0;
  for (Index i = 0; i < t; ++i) seen += ties[i];
  double sum = 0;
  for (Index j = t * piece; j < end_of(t); ++j) sum += weight(j, seen);
  mass[t] = sum;
  __syncthreads();
  double token = -1;  // where nothing is left to draw from
  if (t == 0) {
    double left = 0;
    for (const double m : mass) left += m;
    left *= u;
    Index at = 0, passed = 0, passed_at = 0;  // a piece, and the ties before it
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
      if (inside && left < q) break;  // otherwise rounding left a rest: the last token
      left -= q;
    }
  }
  return static_cast<std::int32_t>(block_max(token));
}

/// One block per row. Barriers besides those of the sums and of draw_kept: all threads have written
/// their part of p before any thread reads another part. `scratch` is [n, v].
template <class T>
__global__ void __launch_bounds__(kSampleThreads)
    draw_cut_tokens_kernel(const DrawArguments<T> a, float* scratch) {
  for (Index r = blockIdx.x; r < a.n; r += gridDim.x) {
    float* const p = scratch + r * a.v;
    float largest = 0;
    for (Index j = threadIdx.x; j < a.v; j += blockDim.x) {
      p[j] = static_cast<float>(a.probability(r, j));
      largest = p[j] > largest ? p[j] : largest;
    }
    __syncthreads();
    const SampleRow row{p, a.v};
    Threshold kept = row.largest(a.cut.top_k > 0 ? a.cut.top_k : a.v);
    if (a.cut.top_p < 1) kept = row.nucleus(a.cut.top_p, kept);
    const double min = a.cut.min_p * static_cast<double>(block_max(largest));
    const std::int32_t token = draw_kept(row, kept, min, a.uniform(r));
    if (threadIdx.x == 0) a.token[r] = token;
  }
}

// ---- moving on by one token ---------------------------------------------------------------------

/// all[*step] = x.
template <class T>
struct Keep {
  Index n;
  const T* x;
  const std::int32_t* step;
  T* all;
  __device__ void operator()(Index i) const { all[*step * n + i] = x[i]; }
  void pointers(auto f) { f(x), f(step), f(all); }
};

/// The next position and slot of every row, which then sees one more key of its own.
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
