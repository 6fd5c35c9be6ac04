// SPDX-License-Identifier: MIT
// Shared by the kernels of fused attention: the queries of a tile, and copies of tiles of rows from
// global to shared memory.
//
// A tile in shared memory has rows of row_bytes<T>(columns), see fragments.hpp. Head sizes between
// two kernels are padded with zeros, and so are missing rows of a tile. With marks, values and dout
// have 16 further columns: the marks' weighted sums are then part of the product P v, and their
// gradients part of dout v^T.
#pragma once
#include "cuda/device/mma.cuh"
#include "cuda/flash/attention_plan.hpp"

namespace gaze::cuda::fused {

inline constexpr int kMarkColumns = 16;
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kLog2E = 1.44269504088896f, kLn2 = 0.693147180559945f;

/// The smallest head size with a kernel that fits head_size; 0 if there is none.
constexpr int padded_head(Index head_size) {
  for (const int size : {32, 64, 80, 128})
    if (head_size <= size) return size;
  return 0;
}

/// Keys per iteration of an inner loop (queries, for dk and dv), limited by registers and shared
/// memory.
template <class T>
constexpr int inner_rows(int head_size) {
  return head_size <= 64 ? kUnit * 8 / static_cast<int>(sizeof(T))
                         : kUnit * 4 / static_cast<int>(sizeof(T));
}

/// Heads [head, head + heads) of one block, of key-value head kv.
struct HeadRange {
  int kv, head, heads;
};

/// The heads of block y, in a grid whose y counts the parts of each key-value head.
constexpr HeadRange heads_of_block(int heads, int kv_heads, int queries, int y) {
  const int group = heads / kv_heads;
  const QueryShape shape = query_shape(heads, kv_heads, queries);
  const int kv = y / shape.parts, first = y % shape.parts * shape.heads;
  return {kv, kv * group + first, shape.heads < group - first ? shape.heads : group - first};
}

/// Queries of one tile, ordered by row, then head.
struct Queries {
  HeadRange head;
  int row, rows;

  constexpr int count() const { return rows * head.heads; }
  constexpr int row_of(int i) const { return row + i / head.heads; }
  constexpr int head_of(int i) const { return head.head + i % head.heads; }
  /// Index of query i in [rows][heads].
  constexpr Index at(int i, int heads) const { return Index{row_of(i)} * heads + head_of(i); }
};

/// Inputs of forward and of both backward passes.
template <class T>
struct AttentionArguments {
  const T* q;  ///< [rows][heads][head_size], row stride q_stride
  Index q_stride;
  const T *keys, *values;  ///< [kv_heads][slots][head_size]
  const float* marks;      ///< [slots][mark_count]
  const KeyRange* ranges;
  const QueryTile* tiles;
  const KeySegment* segments;
  int heads, kv_heads, head_size, mark_count;
  Index slots;
  float scale;

  void pointers(auto f) { f(q), f(keys), f(values), f(marks), f(ranges), f(tiles), f(segments); }
};

/// The most keys of a segment that any row of a tile sees now: in decoding, ranges may have grown
/// since the plan was made, up to the segment's length. All lanes of a warp call, and all get it.
__device__ inline int seen_keys(const KeySegment& segment, const KeyRange* ranges, int rows) {
  int longest = 0;
  for (int r = lane(); r < rows; r += kLanes) {
    const int seen = visible_keys(ranges[r], segment);
    longest = seen > longest ? seen : longest;
  }
  return warp_max(longest);
}

/// Iterates over the keys that the rows of a tile see, block by block: `length` keys of the segment
/// are seen, `first` of them before this block. It is the same in all threads of a block.
struct KeyCursor {
  const KeySegment* segments;
  const KeyRange* ranges;  ///< of the tile's rows
  int rows, segment, segment_end;
  int first = 0, length = 0;

  __device__ KeyCursor(const KeySegment* segments, const KeyRange* ranges, const QueryTile& tile)
      : segments(segments),
        ranges(ranges + tile.row),
        rows(tile.rows),
        segment(tile.segment - 1),
        segment_end(tile.segment_end) {
    enter_next();
  }
  __device__ bool at_end() const { return segment >= segment_end; }
  __device__ Index slot() const { return Index{segments[segment].slot} + first; }
  __device__ void next(int keys) {
    first += keys;
    if (first >= length) enter_next();
  }

 private:
  __device__ void enter_next() {
    first = 0;
    for (++segment; segment < segment_end; ++segment) {
      length = seen_keys(segments[segment], ranges, rows);
      if (length > 0) return;
    }
  }
};

/// Starts asynchronous copies of rows to a tile [Rows][D of Columns], 16 bytes per thread and
/// iteration. row(i) is the address of row i, null for a row of zeros; columns from head_size on
/// become zeros.
template <class T, int Rows, int D, int Columns, class Row>
__device__ void copy_rows_async(T* tile, int head_size, Row row) {
  constexpr int units = D / unit_elements<T>;
  for (int u = static_cast<int>(threadIdx.x); u < Rows * units; u += static_cast<int>(blockDim.x)) {
    const int r = u / units, c = u % units * unit_elements<T>;
    const T* const from = c < head_size ? row(r) : nullptr;
    copy_async(tile + tile_offset<T>(Columns, r, c), from ? from + c : nullptr);
  }
}

/// The same for float rows, rounded to bf16; synchronous.
template <class T, int Rows, int D, int Columns, class Row>
__device__ void convert_rows(T* tile, int head_size, Row row) {
  constexpr int quads = D / 4;
  for (int u = static_cast<int>(threadIdx.x); u < Rows * quads; u += static_cast<int>(blockDim.x)) {
    const int r = u / quads, c = u % quads * 4;
    const float* const from = c < head_size ? row(r) : nullptr;
    Vector<float, 4> x{};
    if (from) x = load<4>(from + c);
    Vector<std::uint32_t, 2> packed{pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3])};
    *reinterpret_cast<Vector<std::uint32_t, 2>*>(tile + tile_offset<T>(Columns, r, c)) = packed;
  }
}

/// float rows to a tile of T: copied asynchronously, or converted.
template <class T, int Rows, int D, int Columns, class Row>
__device__ void fetch_gradient_rows(T* tile, int head_size, Row row) {
  if constexpr (sizeof(T) == sizeof(float))
    copy_rows_async<T, Rows, D, Columns>(tile, head_size, row);
  else
    convert_rows<T, Rows, D, Columns>(tile, head_size, row);
}

/// Columns [first, first + 16) of float rows of `marks` columns, stored after column D; zeros past
/// the last mark.
template <class T, int Rows, int D, class Row>
__device__ void load_marks(T* tile, int first, int marks, Row row) {
  constexpr int all = Rows * kMarkColumns;
  for (int u = static_cast<int>(threadIdx.x); u < all; u += static_cast<int>(blockDim.x)) {
    const int r = u / kMarkColumns, c = u % kMarkColumns;
    const float* const from = first + c < marks ? row(r) : nullptr;
    tile[tile_offset<T>(D + kMarkColumns, r, D + c)] = T(from ? from[first + c] : 0.0f);
  }
}

/// Starts copying the queries of a tile [Rows][D].
template <class T, int Rows, int D>
__device__ void fetch_queries(T* tile, const AttentionArguments<T>& a, const Queries& queries) {
  copy_rows_async<T, Rows, D, D>(tile, a.head_size, [&](int i) -> const T* {
    if (i >= queries.count()) return nullptr;
    return a.q + queries.row_of(i) * a.q_stride + Index{queries.head_of(i)} * a.head_size;
  });
}

/// Starts copying `count` keys and values from a slot on; with Marked, also 16 columns of their
/// marks, after the values. Rows of zeros up to Rows.
template <class T, int Rows, int D, bool Marked>
__device__ void fetch_keys(T* keys, T* values, const AttentionArguments<T>& a, int kv, Index slot,
                           int count, int first_mark = 0) {
  constexpr int columns = D + (Marked ? kMarkColumns : 0);
  const auto row_of = [&](const T* store) {
    const T* const first = store + (Index{kv} * a.slots + slot) * a.head_size;
    return [=, &a](int j) { return j < count ? first + Index{j} * a.head_size : nullptr; };
  };
  copy_rows_async<T, Rows, D, D>(keys, a.head_size, row_of(a.keys));
  copy_rows_async<T, Rows, D, columns>(values, a.head_size, row_of(a.values));
  if constexpr (Marked)
    load_marks<T, Rows, D>(values, first_mark, a.mark_count, [&](int j) {
      return j < count ? a.marks + (slot + j) * a.mark_count : nullptr;
    });
}

/// Maximum, or sum, over the four lanes that have a row of accumulators.
__device__ __forceinline__ float quad_max(float x) {
  x = fmaxf(x, shuffle_xor(x, 1));
  return fmaxf(x, shuffle_xor(x, 2));
}
__device__ __forceinline__ float quad_sum(float x) {
  x += shuffle_xor(x, 1);
  return x + shuffle_xor(x, 2);
}

template <int Tiles>
__device__ __forceinline__ void clear(float (&c)[Tiles][4]) {
#pragma unroll
  for (int j = 0; j < Tiles; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) c[j][i] = 0;
}

/// s += A B^T for one step along k, from column k on; B is all rows of a tile.
template <class T, int Columns, int Tiles>
__device__ __forceinline__ void multiply_step(float (&s)[Tiles][4], const FragmentA& a, const T* b,
                                              int k) {
#pragma unroll
  for (int j = 0; j < Tiles; j += 2) {
    FragmentB right[2];
    load_b_rows<T, Columns>(right, b, j * 8, k);
    mma<T>(s[j], a, right[0]);
    mma<T>(s[j + 1], a, right[1]);
  }
}

/// s += A B^T over columns [0, Columns), for rows [a_row, a_row + 16) of one tile.
template <class T, int Columns, int Tiles>
__device__ __forceinline__ void multiply_rows(float (&s)[Tiles][4], const T* a, int a_row,
                                              const T* b) {
#pragma unroll
  for (int k = 0; k < Columns; k += step_elements<T>)
    multiply_step<T, Columns>(s, load_a<T, Columns>(a, a_row, k), b, k);
}

/// o += P B: P is in accumulators; B is the first columns of a tile, whose rows match P's columns.
template <class T, int Columns, int PTiles, int Tiles>
__device__ __forceinline__ void multiply_columns(float (&o)[Tiles][4], const float (&p)[PTiles][4],
                                                 const T* b) {
  constexpr int steps = PTiles * 8 / step_elements<T>;
#pragma unroll
  for (int k = 0; k < steps; ++k) {
    const FragmentA left = accumulators_as_a<T>(p, k);
#pragma unroll
    for (int j = 0; j < Tiles; j += 2) {
      FragmentB right[2];
      load_b_columns<T, Columns>(right, b, k * step_elements<T>, j * 8);
      mma<T>(o[j], left, right[0]);
      mma<T>(o[j + 1], left, right[1]);
    }
  }
}

}  // namespace gaze::cuda::fused
