// SPDX-License-Identifier: MIT
// Fused attention forward on tensor cores (Dao 2023, FlashAttention-2), for a prefix and own keys.
//
// A warp has 16 queries (row, head); a block iterates over the keys that its queries see:
//   S = scale q k^T,  m' = max(m, S),  P = 2^(S - m'),  O = 2^(m - m') O + P [v | marks]
// (S and m in units of log 2) and finally out = O / l, lse = m + ln l, where l is the sum of all P.
// Scores stay in registers: rounded to T, the accumulators of S are the A fragments of P v.
//
// Reads and writes of a thread. Of 16 rows of S and O, its lane has lane / 4 and lane / 4 + 8,
// columns 2 (lane % 4) and the next of every eight. It writes results of these two queries only,
// and only where they exist (i < count()). Keys are read where a row of the tile sees them; further
// rows are zeros, so the contents of other slots, even NaN, enter no product. Columns from
// head_size on are zeros and not written.
//
// Barriers. Keys and values have two buffers; block b + 1 is copied while b is used:
//   copy b + 1 | wait for b | barrier 1 | use b | barrier 2
// After 1, every thread's part of b (marks included) is complete. After 2, all threads have read b,
// so b + 2 may overwrite it. All threads reach both equally often: the number of blocks depends on
// the keys that the tile's rows see, not on those of a warp. The barrier in start() is to the
// queries what 1 is to keys.
#pragma once
#include "cuda/flash/fused_tile.cuh"

namespace gaze::cuda::fused {

template <class T>
struct ForwardArguments : AttentionArguments<T> {
  float* out;       ///< [rows][heads][head_size]
  float* lse;       ///< [rows][heads]
  float* mark_out;  ///< [rows][heads][mark_count]
  float* partials;  ///< of split tiles, see partial_at

  void pointers(auto f) {
    AttentionArguments<T>::pointers(f);
    f(out), f(lse), f(mark_out), f(partials);
  }
};

/// Sizes of one kernel, in elements of T unless stated otherwise.
template <class T, int D, bool Marked, int Warps>
struct ForwardSizes {
  static constexpr int queries = 16 * Warps, threads = kLanes * Warps, keys = inner_rows<T>(D);
  static constexpr int columns = D + (Marked ? kMarkColumns : 0);
  static constexpr int query_tile = tile_offset<T>(D, queries, 0);
  static constexpr int key_tile = tile_offset<T>(D, keys, 0);
  static constexpr int value_tile = tile_offset<T>(columns, keys, 0);
  static constexpr int shared_bytes =
      (query_tile + 2 * (key_tile + value_tile)) * static_cast<int>(sizeof(T));
  static constexpr int partial_floats = columns + 1;  ///< out, marks, lse of one query
};

/// Offset of the partial result of a query; blocks along y are heads, along z mark columns.
constexpr Index partial_at(int partial, int y, int heads_y, int z, int marks_z, int queries,
                           int query, int floats) {
  const Index block = (Index{partial} * heads_y + y) * marks_z + z;
  return (block * queries + query) * floats;
}

/// One thread's part of a block.
template <class T, int D, bool Marked, int Warps>
struct ForwardBlock {
  using Sizes = ForwardSizes<T, D, Marked, Warps>;
  static constexpr int key_tiles = Sizes::keys / 8, column_tiles = Sizes::columns / 8;
  /// bf16 queries stay in registers; float ones are too large.
  static constexpr bool held = sizeof(T) == 2;
  static constexpr int steps = held ? D / step_elements<T> : 1;

  const ForwardArguments<T>& a;
  QueryTile tile;
  Queries queries;
  T *query, *key, *value;  // shared; two buffers of keys, two of values
  FragmentA q[steps];
  KeyRange range[2];  // of this lane's two queries
  float o[column_tiles][4], row_max[2], row_sum[2];

  __device__ ForwardBlock(const ForwardArguments<T>& arguments, T* shared)
      : a(arguments),
        tile(a.tiles[blockIdx.x]),
        queries{heads_of_block(a.heads, a.kv_heads, Sizes::queries, static_cast<int>(blockIdx.y)),
                tile.row, tile.rows},
        query(shared),
        key(query + Sizes::query_tile),
        value(key + 2 * Sizes::key_tile) {}

  __device__ int own_query(int i) const { return warp() * 16 + lane() / 4 + i * 8; }
  __device__ int first_mark() const { return static_cast<int>(blockIdx.z) * kMarkColumns; }

  __device__ void copy_queries() {
    fetch_queries<T, Sizes::queries, D>(query, a, queries);
    commit_copies();
  }

  __device__ void copy_keys(const KeyCursor& at, int buffer) {
    if (!at.at_end())
      fetch_keys<T, Sizes::keys, D, Marked>(key + buffer * Sizes::key_tile,
                                            value + buffer * Sizes::value_tile, a, queries.head.kv,
                                            at.slot(), at.length - at.first, first_mark());
    commit_copies();
  }

  __device__ void start() {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      range[i] = {};
      if (own_query(i) < queries.count()) range[i] = a.ranges[queries.row_of(own_query(i))];
      row_max[i] = -kInfinity;
      row_sum[i] = 0;
    }
    clear(o);
    wait_copies<1>();  // for the queries, not for the first keys
    __syncthreads();
    if constexpr (held)
#pragma unroll
      for (int k = 0; k < steps; ++k) q[k] = load_a<T, D>(query, warp() * 16, k * step_elements<T>);
  }

  __device__ void use_keys(const KeyCursor& at, int buffer) {
    int count[2];
#pragma unroll
    for (int i = 0; i < 2; ++i)
      count[i] = visible_keys(range[i], a.segments[at.segment]) - at.first;
    if (ballot(count[0] > 0 || count[1] > 0) == 0) return;  // nothing for this warp
    float s[key_tiles][4];
    clear(s);
    scores(s, key + buffer * Sizes::key_tile);
    softmax(s, count);
    multiply_columns<T, Sizes::columns>(o, s, value + buffer * Sizes::value_tile);
  }

  __device__ void scores(float (&s)[key_tiles][4], const T* keys) const {
    if constexpr (!held) {
      multiply_rows<T, D>(s, query, warp() * 16, keys);
    } else {
#pragma unroll
      for (int k = 0; k < steps; ++k) multiply_step<T, D>(s, q[k], keys, k * step_elements<T>);
    }
  }

  /// Replaces S by P and rescales o and row_sum to the new maximum. P = 0 in a row that has seen no
  /// key yet.
  __device__ void softmax(float (&s)[key_tiles][4], const int (&count)[2]) {
    const float log2_scale = a.scale * kLog2E;
    float rescale[2], shift[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float next = row_max[i];
#pragma unroll
      for (int j = 0; j < key_tiles; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& x = s[j][2 * i + e];
          x = j * 8 + lane() % 4 * 2 + e < count[i] ? log2_scale * x : -kInfinity;
          next = fmaxf(next, x);
        }
      next = quad_max(next);
      shift[i] = next == -kInfinity ? 0 : next;
      rescale[i] = exp2_fast(row_max[i] - shift[i]);
      row_max[i] = next;
      row_sum[i] *= rescale[i];
#pragma unroll
      for (int j = 0; j < key_tiles; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e)
          row_sum[i] += s[j][2 * i + e] = exp2_fast(s[j][2 * i + e] - shift[i]);
    }
#pragma unroll
    for (int j = 0; j < column_tiles; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) o[j][e] *= rescale[e / 2];
  }

  __device__ void finish() {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float total = quad_sum(row_sum[i]);
      if (own_query(i) >= queries.count()) continue;
      const float inverse = total > 0 ? 1 / total : total;  // NaN stays NaN
      const float lse = (row_max[i] + log2f(total)) * kLn2;
      if (tile.partial < 0)
        write(i, inverse, lse);
      else
        write_partial(i, inverse, lse);
    }
  }

  __device__ void write(int i, float inverse, float lse) {
    const Index at = queries.at(own_query(i), a.heads);
    if (blockIdx.z == 0) {
#pragma unroll
      for (int j = 0; j < D / 8; ++j) {
        const int c = j * 8 + lane() % 4 * 2;
        if (c < a.head_size)
          store<2>(a.out + at * a.head_size + c,
                   Vector<float, 2>{inverse * o[j][2 * i], inverse * o[j][2 * i + 1]});
      }
      if (lane() % 4 == 0) a.lse[at] = lse;
    }
    if constexpr (Marked)
#pragma unroll
      for (int j = 0; j < kMarkColumns / 8; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int m = first_mark() + j * 8 + lane() % 4 * 2 + e;
          if (m < a.mark_count)
            a.mark_out[at * a.mark_count + m] = inverse * o[D / 8 + j][2 * i + e];
        }
  }

  __device__ void write_partial(int i, float inverse, float lse) {
    float* const to =
        a.partials + partial_at(tile.partial, static_cast<int>(blockIdx.y),
                                static_cast<int>(gridDim.y), static_cast<int>(blockIdx.z),
                                static_cast<int>(gridDim.z), Sizes::queries, own_query(i),
                                Sizes::partial_floats);
#pragma unroll
    for (int j = 0; j < column_tiles; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e) to[j * 8 + lane() % 4 * 2 + e] = inverse * o[j][2 * i + e];
    if (lane() % 4 == 0) to[Sizes::columns] = lse;
  }
};

/// Grid: tiles, key-value heads (x parts of their heads), 16 mark columns each.
template <class T, int D, bool Marked, int Warps>
__global__ void __launch_bounds__(kLanes* Warps, 1) forward_kernel(const ForwardArguments<T> a) {
  ForwardBlock<T, D, Marked, Warps> block(a, dynamic_shared<T>());
  constexpr int keys = ForwardSizes<T, D, Marked, Warps>::keys;
  KeyCursor copied(a.segments, a.ranges, block.tile), used = copied;
  block.copy_queries();
  block.copy_keys(copied, 0);
  block.start();
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

/// Combines the partial results of a split tile in ascending order, one warp per query:
///   lse = ln sum_p e^lse_p,  out = sum_p e^(lse_p - lse) out_p.
/// A lane writes columns lane, lane + 32, ...; no barrier. Grid as above, with one block per
/// combined tile.
template <class T, int D, bool Marked, int Warps>
__global__ void combine_kernel(const ForwardArguments<T> a, const CombinedTile* combined) {
  using Sizes = ForwardSizes<T, D, Marked, Warps>;
  const CombinedTile tile = combined[blockIdx.x];
  const int y = static_cast<int>(blockIdx.y), z = static_cast<int>(blockIdx.z);
  const Queries queries{heads_of_block(a.heads, a.kv_heads, Sizes::queries, y), tile.row,
                        tile.rows};
  const auto part = [&](int p, int i) {
    return a.partials + partial_at(p, y, static_cast<int>(gridDim.y), z,
                                   static_cast<int>(gridDim.z), Sizes::queries, i,
                                   Sizes::partial_floats);
  };
  for (int i = warp(); i < queries.count(); i += static_cast<int>(blockDim.x) / kLanes) {
    float row_max = -kInfinity, total = 0;
    for (int p = tile.partial; p < tile.partial_end; ++p)
      row_max = fmaxf(row_max, part(p, i)[Sizes::columns]);
    for (int p = tile.partial; p < tile.partial_end; ++p)
      total += expf(part(p, i)[Sizes::columns] - row_max);
    const Index at = queries.at(i, a.heads);
    if (z == 0 && lane() == 0) a.lse[at] = row_max + logf(total);
    for (int c = lane(); c < Sizes::columns; c += kLanes) {
      float x = 0;
      for (int p = tile.partial; p < tile.partial_end; ++p)
        x += expf(part(p, i)[Sizes::columns] - row_max) * part(p, i)[c];
      const int mark = z * kMarkColumns + c - D;
      if (c < D && c < a.head_size && z == 0) a.out[at * a.head_size + c] = x / total;
      if (c >= D && mark < a.mark_count) a.mark_out[at * a.mark_count + mark] = x / total;
    }
  }
}

}  // namespace gaze::cuda::fused
