// SPDX-License-Identifier: MIT
// Drawing the next token of every row from a tail that is cut, without the host:
// gaze/generate/sampling.hpp says what each setting means.
//
// One block per row of logits [n, v]. Probabilities p = e^(z - lse) are written to a room [n, v]
// and then read again for each question about them. What top_k and top_p keep is the largest so
// many, ties by ascending index: a threshold and how many of those equal to it. Non-negative floats
// order as their bits do, so a threshold is found bit by bit, each bit one sum over the row. Sums
// are in double, thread by thread over every 256th value, then folded: an order that the sizes
// alone decide. It is not the processor's, so tokens differ from it where u falls within rounding
// of a boundary between two tokens, and where the two devices' e^x differ by a last bit.
#pragma once
#include "cuda/generate.cuh"

namespace gaze::cuda {

inline constexpr int kSampleThreads = 256;

/// What is beside DrawInputs.
struct CutInputs {
  TailCut cut;
  float* room;  ///< [n, v]
  std::int32_t* token;
  void pointers(auto f) { f(room), f(token); }
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
  double token = -1;  // stays where nothing is left to draw from
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
__global__ void __launch_bounds__(kSampleThreads)
    draw_cut_tokens_kernel(const DrawInputs<T> in, const CutInputs a) {
  for (Index r = blockIdx.x; r < in.n; r += gridDim.x) {
    float* const p = a.room + r * in.v;
    float most = 0;
    for (Index j = threadIdx.x; j < in.v; j += blockDim.x) {
      p[j] = static_cast<float>(in.probability(r, j));
      most = p[j] > most ? p[j] : most;
    }
    __syncthreads();
    const SampleRow row{p, in.v};
    Threshold kept = row.largest(a.cut.top_k > 0 ? a.cut.top_k : in.v);
    if (a.cut.top_p < 1) kept = row.nucleus(a.cut.top_p, kept);
    const double least = a.cut.min_p * static_cast<double>(block_max(most));
    const auto step = static_cast<std::uint64_t>(*in.step);
    const auto token = draw_kept(row, kept, least, in.random.uniform(in.sample[r], step));
    if (threadIdx.x == 0) a.token[r] = token;
  }
}

}  // namespace gaze::cuda
