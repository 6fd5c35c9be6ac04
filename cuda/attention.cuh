// SPDX-License-Identifier: MIT
// Plain attention, the oracle of the fast kernels, for any head size and any number of marks.
//
// U is the type of the operands: T, or bf16 where T is float. Then q, keys and values are already
// rounded, and marks, the weights P, dS and dout are rounded where they are multiplied.
//
// Forward and dq give one (row, head) to a warp, dk and dv one (kv head, slot). The other side of
// the score matrix is processed 32 at a time: each lane computes one score, then adds to its own
// columns d = lane, lane + 32, ... of the sums, which are in the warp's part of shared memory.
#pragma once
#include "cuda/device/loops.cuh"
#include "gaze/kernels/attention.hpp"

namespace gaze::cuda {

inline constexpr int kAttentionThreads = 128, kAttentionWarps = kAttentionThreads / kLanes;

/// x rounded as an operand of a product.
template <class U, class T>
__device__ constexpr T operand(T x) {
  return static_cast<T>(static_cast<U>(x));
}

template <class U>
struct AttentionOperands : args::AttentionInputs<U> {
  using T = GradOf<U>;
  using Inputs = args::AttentionInputs<U>;
  using Inputs::shape, Inputs::q, Inputs::q_stride, Inputs::keys, Inputs::values, Inputs::marks,
      Inputs::seen;
  void pointers(auto f) { f(q), f(keys), f(values), f(marks), f(seen.ranges); }

  __device__ Index kv_head(Index head) const { return head / (shape.heads / shape.kv_heads); }
  __device__ const U* query(Index row, Index head) const {
    return q + row * q_stride + head * shape.head_size;
  }
  /// q . k without the scale.
  __device__ T dot(const U* query, Index kv, Index slot) const {
    const U* const key = keys + value_offset(shape, kv, slot);
    T sum = 0;
    for (Index d = 0; d < shape.head_size; ++d)
      sum += static_cast<T>(query[d]) * static_cast<T>(key[d]);
    return sum;
  }
  /// Column d of [value | marks] in `slot`.
  __device__ T value(Index kv, Index slot, Index d) const {
    if (d < shape.head_size) return static_cast<T>(values[value_offset(shape, kv, slot) + d]);
    return operand<U>(static_cast<T>(marks[slot * shape.marks + d - shape.head_size]));
  }
};

// ---- moving rows in and out of a store ----------------------------------------------------------

/// One thread per element (row, kv head, d) of rows [n, kv_heads, D]. On this device keys are
/// stored as values are.
template <class T>
struct StoreElement {
  AttentionShape shape;
  Index stride;
  const T* x;
  const std::int32_t* slot;
  T* store;
  __device__ void operator()(Index i) const {
    const Index width = shape.kv_heads * shape.head_size, row = i / width, at = i % width;
    store[value_offset(shape, at / shape.head_size, slot[row]) + at % shape.head_size] =
        x[row * stride + at];
  }
  void pointers(auto f) { f(x), f(slot), f(store); }
};

template <class T>
struct LoadElement {
  AttentionShape shape;
  Index stride;
  const T* store;
  const std::int32_t* slot;
  T* y;
  __device__ void operator()(Index i) const {
    const Index width = shape.kv_heads * shape.head_size, row = i / width, at = i % width;
    y[row * stride + at] =
        store[value_offset(shape, at / shape.head_size, slot[row]) + at % shape.head_size];
  }
  void pointers(auto f) { f(store), f(slot), f(y); }
};

// ---- forward ------------------------------------------------------------------------------------

/// Shared memory of a warp: 32 weights, then the sums [D + M].
template <class T>
std::size_t attention_forward_shared(const AttentionShape& s, Index marks) {
  return sizeof(T) * static_cast<std::size_t>(kAttentionWarps * (kLanes + s.head_size + marks));
}

/// Online softmax over blocks of 32 positions (Milakov and Gimelshein 2018). The first __syncwarp
/// publishes the weights, the second keeps them until all lanes have used them.
template <class U, class T>
__global__ void attention_forward_kernel(AttentionOperands<U> in, Index marks, T* out, T* lse,
                                         T* mark_out) {
  const AttentionShape& s = in.shape;
  const Index D = s.head_size, columns = D + marks;
  T* const weights = dynamic_shared<T>() + warp() * (kLanes + columns);
  T* const sums = weights + kLanes;
  const Index step = Index{gridDim.x} * kAttentionWarps;
  for (Index at = Index{blockIdx.x} * kAttentionWarps + warp(); at < in.n * s.heads; at += step) {
    const Index row = at / s.heads, head = at % s.heads, kv = in.kv_head(head);
    const KeyRange range = in.seen.ranges[row];
    const Index count = key_count(range);
    const U* const query = in.query(row, head);
    for (Index d = lane(); d < columns; d += kLanes) sums[d] = 0;
    T row_max = -std::numeric_limits<T>::infinity(), total = 0;
    for (Index first = 0; first < count; first += kLanes) {
      const Index p = first + lane();
      const T score = p < count ? static_cast<T>(s.scale) * in.dot(query, kv, key_slot(range, p))
                                : -std::numeric_limits<T>::infinity();
      const T highest = warp_max(score), next = highest > row_max ? highest : row_max;
      const T rescale = std::exp(row_max - next), weight = std::exp(score - next);
      row_max = next;
      total = total * rescale + warp_sum(weight);
      weights[lane()] = operand<U>(weight);
      __syncwarp();
      const Index seen = count - first < kLanes ? count - first : kLanes;
      for (Index d = lane(); d < columns; d += kLanes) {
        T sum = sums[d] * rescale;
        for (Index j = 0; j < seen; ++j)
          sum += weights[j] * in.value(kv, key_slot(range, first + j), d);
        sums[d] = sum;
      }
      __syncwarp();
    }
    for (Index d = lane(); d < D; d += kLanes) out[at * D + d] = sums[d] / total;
    for (Index m = lane(); m < marks; m += kLanes) mark_out[at * marks + m] = sums[D + m] / total;
    if (lane() == 0) lse[at] = row_max + std::log(total);
  }
}

// ---- backward -----------------------------------------------------------------------------------

template <class U>
struct AttentionGradOperands : AttentionOperands<U> {
  using T = GradOf<U>;
  const T *lse, *delta, *dout, *dmark_out;  // dmark_out may be null
  void pointers(auto f) {
    AttentionOperands<U>::pointers(f);
    f(lse), f(delta), f(dout), f(dmark_out);
  }

  /// P and dS / scale of query `at` = (row, head) and the key in `slot`.
  struct Pair {
    T p, ds;
  };
  __device__ Pair pair(Index at, const U* query, Index kv, Index slot) const {
    const AttentionShape& s = this->shape;
    const Index size = s.head_size;
    const T p = std::exp(static_cast<T>(s.scale) * this->dot(query, kv, slot) - lse[at]);
    T dp = 0;
    for (Index d = 0; d < size; ++d)
      dp += operand<U>(dout[at * size + d]) * this->value(kv, slot, d);
    if (dmark_out)
      for (Index m = 0; m < s.marks; ++m)
        dp += operand<U>(dmark_out[at * s.marks + m]) * this->value(kv, slot, size + m);
    return {p, p * (dp - delta[at])};
  }
};

/// delta = dout . out + dmark . mark_out, one thread per (row, head). dout is rounded as it is in
/// dP, so that the two cancel in dS = P (dP - delta).
template <class U, class T>
struct AttentionDelta {
  Index head_size, marks;
  const T *out, *mark_out, *dout, *dmark_out;
  T* delta;
  __device__ void operator()(Index at) const {
    T sum = 0;
    for (Index i = at * head_size; i < (at + 1) * head_size; ++i)
      sum += operand<U>(dout[i]) * out[i];
    if (dmark_out)
      for (Index i = at * marks; i < (at + 1) * marks; ++i)
        sum += operand<U>(dmark_out[i]) * mark_out[i];
    delta[at] = sum;
  }
  void pointers(auto f) { f(out), f(mark_out), f(dout), f(dmark_out), f(delta); }
};

/// dq = scale sum over keys of dS k: one warp per (row, head), as in forward.
template <class U, class T>
__global__ void attention_dq_kernel(AttentionGradOperands<U> in, T* dq) {
  const AttentionShape& s = in.shape;
  const Index D = s.head_size;
  T* const ds = dynamic_shared<T>() + warp() * (kLanes + D);
  T* const sums = ds + kLanes;
  const Index step = Index{gridDim.x} * kAttentionWarps;
  for (Index at = Index{blockIdx.x} * kAttentionWarps + warp(); at < in.n * s.heads; at += step) {
    const Index row = at / s.heads, head = at % s.heads, kv = in.kv_head(head);
    const KeyRange range = in.seen.ranges[row];
    const Index count = key_count(range);
    const U* const query = in.query(row, head);
    for (Index d = lane(); d < D; d += kLanes) sums[d] = 0;
    for (Index first = 0; first < count; first += kLanes) {
      const Index p = first + lane();
      ds[lane()] = p < count ? operand<U>(in.pair(at, query, kv, key_slot(range, p)).ds) : T(0);
      __syncwarp();
      const Index seen = count - first < kLanes ? count - first : kLanes;
      for (Index d = lane(); d < D; d += kLanes)
        for (Index j = 0; j < seen; ++j)
          sums[d] +=
              ds[j] * static_cast<T>(in.keys[value_offset(s, kv, key_slot(range, first + j)) + d]);
      __syncwarp();
    }
    for (Index d = lane(); d < D; d += kLanes) dq[at * D + d] = static_cast<T>(s.scale) * sums[d];
  }
}

/// All rows that see a slot are in [first, last]; first is INT32_MAX where there are none.
struct SlotRows {
  std::int32_t *first, *last;
  __device__ void operator()(Index slot) const {
    first[slot] = std::numeric_limits<std::int32_t>::max();
    last[slot] = -1;
  }
  void pointers(auto f) { f(first), f(last); }
};

/// One warp per row, each lane with every 32nd of its keys. Minimum and maximum do not depend on
/// the order.
template <class Range>
__global__ void slot_rows_kernel(Index rows, const Range* ranges, SlotRows seen) {
  const Index step = Index{gridDim.x} * kAttentionWarps;
  for (Index row = Index{blockIdx.x} * kAttentionWarps + warp(); row < rows; row += step) {
    const Range range = ranges[row];
    for (Index p = lane(); p < key_count(range); p += kLanes) {
      const Index slot = key_slot(range, p);
      atomicMin(seen.first + slot, static_cast<std::int32_t>(row));
      atomicMax(seen.last + slot, static_cast<std::int32_t>(row));
    }
  }
}

/// dk = scale sum over rows of dS q, dv = sum of P dout: one warp per (kv head, slot). The queries
/// of its rows, for all heads that share the key, are processed 32 at a time in ascending order.
template <class U, class T>
__global__ void attention_dkv_kernel(AttentionGradOperands<U> in, SlotRows seen, T* dkeys,
                                     T* dvalues) {
  const AttentionShape& s = in.shape;
  const Index D = s.head_size, group = s.heads / s.kv_heads;
  T* const ds = dynamic_shared<T>() + warp() * 2 * (kLanes + D);
  T *const weights = ds + kLanes, *const dk = weights + kLanes, *const dv = dk + D;
  const Index step = Index{gridDim.x} * kAttentionWarps;
  for (Index at = Index{blockIdx.x} * kAttentionWarps + warp(); at < s.kv_heads * s.slots;
       at += step) {
    const Index kv = at / s.slots, slot = at % s.slots;
    const Index begin = Index{seen.first[slot]} * group, end = (Index{seen.last[slot]} + 1) * group;
    for (Index d = lane(); d < D; d += kLanes) dk[d] = dv[d] = 0;
    for (Index first = begin; first < end; first += kLanes) {
      const Index i = first + lane(), row = i / group, head = kv * group + i % group;
      typename AttentionGradOperands<U>::Pair pair{0, 0};
      if (i < end && key_position(in.seen.ranges[row], slot) >= 0)
        pair = in.pair(row * s.heads + head, in.query(row, head), kv, slot);
      ds[lane()] = operand<U>(pair.ds);
      weights[lane()] = operand<U>(pair.p);
      __syncwarp();
      const Index count = end - first < kLanes ? end - first : kLanes;
      for (Index j = 0; j < count; ++j) {
        if (weights[j] == 0 && ds[j] == 0) continue;
        const Index from = (first + j) / group, h = kv * group + (first + j) % group;
        for (Index d = lane(); d < D; d += kLanes) {
          dk[d] += ds[j] * static_cast<T>(in.query(from, h)[d]);
          dv[d] += weights[j] * operand<U>(in.dout[(from * s.heads + h) * D + d]);
        }
      }
      __syncwarp();
    }
    for (Index d = lane(); d < D; d += kLanes) {
      dkeys[value_offset(s, kv, slot) + d] = static_cast<T>(s.scale) * dk[d];
      dvalues[value_offset(s, kv, slot) + d] = dv[d];
    }
  }
}

}  // namespace gaze::cuda
