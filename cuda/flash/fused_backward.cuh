// SPDX-License-Identifier: MIT
// The derivative of fused attention on tensor cores, in two passes without atomic additions, so
// equal inputs give equal bits:
//
//   delta = dout . out + sum_m dmark[m] mark_out[m]                       one warp per query
//   P = e^(scale q k^T - lse),  dS = P ([dout | dmark] [v | marks]^T - delta)
//   dq = scale dS k                         a block has queries and iterates over keys, as forward
//   dk = scale dS^T q,  dv = P^T dout       a block has slots and iterates over rows that see them
//
// Both passes recompute S. In the second one the scores are transposed, with keys along m, so P^T
// and dS^T are accumulators with keys as rows: the A operands of dv and dk.
//
// Reads and writes of a thread. As in fused_forward.cuh: rows lane / 4 and lane / 4 + 8 of its
// warp's 16, and columns 2 (lane % 4) and the next of every eight. dq: for queries that exist. dk
// and dv: for all slots of the store, zeros where no row sees the slot. Missing rows of a tile are
// zeros. A score that its row does not see gives P = dS = 0 by selection, whatever the slot
// contains, and an unseen slot affects no row of dk and dv but its own.
//
// Barriers: those of the forward pass, around blocks of keys in one pass and of queries in the
// other. dout, marks, lse and delta are written to shared memory by plain stores before barrier 1.
#pragma once
#include "cuda/flash/fused_forward.cuh"

namespace gaze::cuda::fused {

template <class T>
struct BackwardArguments : AttentionArguments<T> {
  const KeyTile* key_tiles;
  const std::int32_t* chunks;
  int rows;
  const float *out, *lse, *mark_out, *dout, *dmark_out;
  float* delta;            ///< [rows][heads]
  float* dq;               ///< [rows][heads][head_size]
  float *dkeys, *dvalues;  ///< [kv_heads][slots][head_size]

  void pointers(auto f) {
    AttentionArguments<T>::pointers(f);
    f(key_tiles), f(chunks), f(out), f(lse), f(mark_out), f(dout), f(dmark_out), f(delta), f(dq);
    f(dkeys), f(dvalues);
  }
};

/// dout of a tile's queries and, with Marked, dmark after it; rows of zeros up to Rows.
template <class T, int Rows, int D, bool Marked>
__device__ void fetch_gradients(T* tile, const BackwardArguments<T>& a, const Queries& queries) {
  const auto row_of = [&](const float* from, int columns) {
    return [=, &a](int i) {
      return i < queries.count() ? from + queries.at(i, a.heads) * columns : nullptr;
    };
  };
  fetch_gradient_rows<T, Rows, D, D + (Marked ? kMarkColumns : 0)>(tile, a.head_size,
                                                                   row_of(a.dout, a.head_size));
  if constexpr (Marked)
    load_marks<T, Rows, D>(tile, 0, a.mark_count, row_of(a.dmark_out, a.mark_count));
}

/// delta of every (row, head), one warp each. dout is rounded to T as it is in dP, so that the two
/// cancel in dS = P (dP - delta).
template <class T>
__global__ void delta_kernel(const BackwardArguments<T> a) {
  const Index count = Index{a.rows} * a.heads, step = thread_count() / kLanes;
  for (Index at = thread_index() / kLanes; at < count; at += step) {
    float sum = 0;
    for (Index d = at * a.head_size + lane(); d < (at + 1) * a.head_size; d += kLanes)
      sum += static_cast<float>(T(a.dout[d])) * a.out[d];
    if (a.dmark_out)
      for (Index m = at * a.mark_count + lane(); m < (at + 1) * a.mark_count; m += kLanes)
        sum += static_cast<float>(T(a.dmark_out[m])) * a.mark_out[m];
    sum = warp_sum(sum);
    if (lane() == 0) a.delta[at] = sum;
  }
}

/// Warps per block, limited by shared memory.
template <class T>
constexpr int backward_warps(int D) {
  return D * static_cast<int>(sizeof(T)) > 256 ? 2 : 4;
}

/// Sizes of both passes, in elements of T unless stated otherwise: a block has `outer` rows (16 per
/// warp) and iterates over `inner` rows at a time.
template <class T, int D, bool Marked>
struct BackwardSizes {
  static constexpr int warps = backward_warps<T>(D), threads = kLanes * warps, outer = 16 * warps;
  static constexpr int inner = inner_rows<T>(D);
  static constexpr int columns = D + (Marked ? kMarkColumns : 0);
  static constexpr int outer_narrow = tile_offset<T>(D, outer, 0);
  static constexpr int outer_wide = tile_offset<T>(columns, outer, 0);
  static constexpr int inner_narrow = tile_offset<T>(D, inner, 0);
  static constexpr int inner_wide = tile_offset<T>(columns, inner, 0);
  static constexpr int tile_bytes =
      (outer_narrow + outer_wide + 2 * (inner_narrow + inner_wide)) * static_cast<int>(sizeof(T));
  /// lse, delta and range of the inner queries, double-buffered (for dk and dv).
  static constexpr int query_bytes =
      2 * inner * (2 * static_cast<int>(sizeof(float)) + static_cast<int>(sizeof(KeyRange)));
};

// ---- dq -----------------------------------------------------------------------------------------

template <class T, int D, bool Marked>
struct QueryGradBlock {
  using Sizes = BackwardSizes<T, D, Marked>;
  static constexpr int key_tiles = Sizes::inner / 8;

  const BackwardArguments<T>& a;
  QueryTile tile;
  Queries queries;
  T *query, *dout, *key, *value;  // shared
  KeyRange range[2];              // of this lane's two queries
  float lse[2], delta[2], dq[D / 8][4];

  __device__ QueryGradBlock(const BackwardArguments<T>& arguments, T* shared)
      : a(arguments),
        tile(a.tiles[blockIdx.x]),
        queries{heads_of_block(a.heads, a.kv_heads, Sizes::outer, static_cast<int>(blockIdx.y)),
                tile.row, tile.rows},
        query(shared),
        dout(query + Sizes::outer_narrow),
        key(dout + Sizes::outer_wide),
        value(key + 2 * Sizes::inner_narrow) {}

  __device__ int own_query(int i) const { return warp() * 16 + lane() / 4 + i * 8; }

  __device__ void start() {
    fetch_queries<T, Sizes::outer, D>(query, a, queries);
    fetch_gradients<T, Sizes::outer, D, Marked>(dout, a, queries);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      range[i] = {};
      lse[i] = delta[i] = 0;
      if (own_query(i) >= queries.count()) continue;
      const Index at = queries.at(own_query(i), a.heads);
      range[i] = a.ranges[queries.row_of(own_query(i))];
      lse[i] = a.lse[at];
      delta[i] = a.delta[at];
    }
    clear(dq);
  }

  __device__ void copy_keys(const KeyCursor& at, int buffer) {
    if (!at.at_end())
      fetch_keys<T, Sizes::inner, D, Marked>(key + buffer * Sizes::inner_narrow,
                                             value + buffer * Sizes::inner_wide, a, queries.head.kv,
                                             at.slot(), at.length - at.first);
    commit_copies();
  }

  __device__ void use_keys(const KeyCursor& at, int buffer) {
    int count[2];
#pragma unroll
    for (int i = 0; i < 2; ++i)
      count[i] = visible_keys(range[i], a.segments[at.segment]) - at.first;
    if (ballot(count[0] > 0 || count[1] > 0) == 0) return;
    float s[key_tiles][4], dp[key_tiles][4];
    clear(s);
    clear(dp);
    const T* const keys = key + buffer * Sizes::inner_narrow;
    multiply_rows<T, D>(s, query, warp() * 16, keys);
    multiply_rows<T, Sizes::columns>(dp, dout, warp() * 16, value + buffer * Sizes::inner_wide);
#pragma unroll
    for (int j = 0; j < key_tiles; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int i = e / 2;
        const bool seen = j * 8 + lane() % 4 * 2 + e % 2 < count[i];
        const float p = exp2_fast((a.scale * s[j][e] - lse[i]) * kLog2E);
        s[j][e] = seen ? p * (dp[j][e] - delta[i]) : 0;
      }
    multiply_columns<T, D>(dq, s, keys);
  }

  __device__ void finish() {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if (own_query(i) >= queries.count()) continue;
      float* const to = a.dq + queries.at(own_query(i), a.heads) * a.head_size;
#pragma unroll
      for (int j = 0; j < D / 8; ++j) {
        const int c = j * 8 + lane() % 4 * 2;
        if (c < a.head_size)
          store<2>(to + c, Vector<float, 2>{a.scale * dq[j][2 * i], a.scale * dq[j][2 * i + 1]});
      }
    }
  }
};

/// Grid: tiles (never split), key-value heads (x parts of their heads).
template <class T, int D, bool Marked>
__global__ void __launch_bounds__(BackwardSizes<T, D, Marked>::threads, 1)
    dq_kernel(const BackwardArguments<T> a) {
  QueryGradBlock<T, D, Marked> block(a, dynamic_shared<T>());
  constexpr int keys = BackwardSizes<T, D, Marked>::inner;
  KeyCursor copied(a.segments, a.ranges, block.tile), used = copied;
  block.start();
  block.copy_keys(copied, 0);
  for (int buffer = 0; !used.at_end(); buffer ^= 1) {
    copied.next(keys);
    block.copy_keys(copied, buffer ^ 1);
    wait_copies<1>();
    __syncthreads();
    block.use_keys(used, buffer);
    __syncthreads();
    used.next(keys);
  }
  block.finish();
}

// ---- dk and dv ----------------------------------------------------------------------------------

template <class T, int D, bool Marked>
struct KeyGradBlock {
  using Sizes = BackwardSizes<T, D, Marked>;
  static constexpr int query_tiles = Sizes::inner / 8;

  const BackwardArguments<T>& a;
  KeyTile tile;
  int kv;
  QueryShape shape;
  T *key, *value, *query, *dout;  // shared
  float *lse, *delta;             // shared, [2][inner]
  KeyRange* range;                // shared, [2][inner]
  float dk[D / 8][4], dv[D / 8][4];

  __device__ KeyGradBlock(const BackwardArguments<T>& arguments, T* shared)
      : a(arguments),
        tile(a.key_tiles[blockIdx.x]),
        kv(static_cast<int>(blockIdx.y)),
        shape(query_shape(a.heads, a.kv_heads, Sizes::inner)),
        key(shared),
        value(key + Sizes::outer_narrow),
        query(value + Sizes::outer_wide),
        dout(query + 2 * Sizes::inner_narrow),
        lse(reinterpret_cast<float*>(dout + 2 * Sizes::inner_wide)),
        delta(lse + 2 * Sizes::inner),
        range(reinterpret_cast<KeyRange*>(delta + 2 * Sizes::inner)) {}

  /// Step n: chunk n / parts of the tile's list, part n % parts of the heads.
  __device__ int steps() const { return (tile.chunk_end - tile.chunk) * shape.parts; }
  __device__ Queries queries_of(int step) const {
    const int row = a.chunks[tile.chunk + step / shape.parts] * shape.rows;
    const int rows = shape.rows < a.rows - row ? shape.rows : a.rows - row;
    const int y = kv * shape.parts + step % shape.parts;
    return {heads_of_block(a.heads, a.kv_heads, Sizes::inner, y), row, rows};
  }

  __device__ void start() {
    clear(dk);
    clear(dv);
    if (steps() == 0) return;  // no row sees these slots: only zeros are written
    const Index left = a.slots - tile.slot;
    fetch_keys<T, Sizes::outer, D, Marked>(
        key, value, a, kv, tile.slot, left < Sizes::outer ? static_cast<int>(left) : Sizes::outer);
  }

  __device__ void copy_queries(int step, int buffer) {
    if (step < steps()) {
      const Queries queries = queries_of(step);
      fetch_queries<T, Sizes::inner, D>(query + buffer * Sizes::inner_narrow, a, queries);
      fetch_gradients<T, Sizes::inner, D, Marked>(dout + buffer * Sizes::inner_wide, a, queries);
      const int i = static_cast<int>(threadIdx.x);
      if (i < Sizes::inner) {
        const bool exists = i < queries.count();
        const Index at = exists ? queries.at(i, a.heads) : 0;
        lse[buffer * Sizes::inner + i] = exists ? a.lse[at] : 0;
        delta[buffer * Sizes::inner + i] = exists ? a.delta[at] : 0;
        range[buffer * Sizes::inner + i] = exists ? a.ranges[queries.row_of(i)] : KeyRange{};
      }
    }
    commit_copies();
  }

  __device__ void use_queries(int buffer) {
    float p[query_tiles][4], ds[query_tiles][4];
    clear(p);
    clear(ds);
    const T* const q = query + buffer * Sizes::inner_narrow;
    const T* const g = dout + buffer * Sizes::inner_wide;
    multiply_rows<T, D>(p, key, warp() * 16, q);
    multiply_rows<T, Sizes::columns>(ds, value, warp() * 16, g);
    const int slot = tile.slot + warp() * 16 + lane() / 4;
#pragma unroll
    for (int j = 0; j < query_tiles; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const int i = buffer * Sizes::inner + j * 8 + lane() % 4 * 2 + e;
        const KeyRange r = range[i];
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          float &score = p[j][2 * half + e], &grad = ds[j][2 * half + e];
          const bool seen = sees_slot(r, slot + half * 8);
          score = seen ? exp2_fast((a.scale * score - lse[i]) * kLog2E) : 0;
          grad = seen ? score * (grad - delta[i]) : 0;
        }
      }
    multiply_columns<T, Sizes::columns>(dv, p, g);
    multiply_columns<T, D>(dk, ds, q);
  }

  __device__ void finish() {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const Index slot = tile.slot + warp() * 16 + lane() / 4 + i * 8;
      if (slot >= a.slots) continue;
      const Index at = (Index{kv} * a.slots + slot) * a.head_size;
#pragma unroll
      for (int j = 0; j < D / 8; ++j) {
        const int c = j * 8 + lane() % 4 * 2;
        if (c >= a.head_size) continue;
        store<2>(a.dkeys + at + c,
                 Vector<float, 2>{a.scale * dk[j][2 * i], a.scale * dk[j][2 * i + 1]});
        store<2>(a.dvalues + at + c, Vector<float, 2>{dv[j][2 * i], dv[j][2 * i + 1]});
      }
    }
  }
};

/// Grid: key tiles, key-value heads.
template <class T, int D, bool Marked>
__global__ void __launch_bounds__(BackwardSizes<T, D, Marked>::threads, 1)
    dkv_kernel(const BackwardArguments<T> a) {
  KeyGradBlock<T, D, Marked> block(a, dynamic_shared<T>());
  block.start();
  block.copy_queries(0, 0);
  for (int step = 0; step < block.steps(); ++step) {
    const int buffer = step % 2;
    block.copy_queries(step + 1, buffer ^ 1);
    wait_copies<1>();
    __syncthreads();
    block.use_queries(buffer);
    __syncthreads();
  }
  block.finish();
}

}  // namespace gaze::cuda::fused
