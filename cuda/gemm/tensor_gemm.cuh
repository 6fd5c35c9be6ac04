// SPDX-License-Identifier: MIT
// The matrix product C = start + op(A) op(B) of bf16 operands on tensor cores, with float32 sums,
// in which an element of C does not depend on the size of the product.
//
// An element of C is one chain of mma.sync over ascending k, 16 at a time from k = 0, beginning
// with `start`. k is never split over blocks or warps, and all tiles below are kTensorDepth deep
// and padded with zeros. So the chain is the same in every tile and at every place in it: a row has
// the same bits alone and in any batch.
//
// A block computes a tile of C, each of its warps an equal rectangle. Both operands are copied to
// shared memory as they are stored, kTensorDepth of k at a time, into `stages` buffers in turn;
// ldmatrix, which can transpose, loads fragments from there (fragments.hpp).
//
// Reads and writes of a thread. It copies units of 8 elements of both operands: by an asynchronous
// copy where addresses are multiples of 16 bytes, otherwise element by element, and zeros beyond
// the matrix's rows and columns; every unit is checked against both. Of each 16 x 8 of C, its lane
// has rows lane / 4 and lane / 4 + 8, columns 2 (lane % 4) and the next; it reads (to accumulate)
// and writes those inside C, and no other thread accesses them.
//
// Barriers. Step s waits for its own copies of tile s, then at the barrier for those of all
// threads. After it, tile s is complete, and all threads have finished step s - 1, whose buffer
// receives tile s + stages - 1 next. All threads run the same number of steps.
#pragma once
#include "cuda/device/mma.cuh"
#include "cuda/gemm/tensor_gemm.hpp"

namespace gaze::cuda {

inline constexpr int kTensorDepth = 32;  ///< of k, in a tile

/// A tile of C: `rows` x `columns`, computed by warps in a grid of `down` x `across`.
template <int Rows, int Columns, int Down, int Across, int Stages>
struct TensorTile {
  static constexpr int rows = Rows, columns = Columns, stages = Stages;
  static constexpr int down = Down, across = Across, threads = kLanes * Down * Across;
  static constexpr int warp_rows = Rows / Down, warp_columns = Columns / Across;
  static_assert(warp_rows % 16 == 0 && warp_columns % 16 == 0);
};

using WideTile = TensorTile<128, 128, 2, 4, 3>;  ///< many rows and columns
using NarrowTile = TensorTile<64, 64, 2, 2, 4>;  ///< where wide ones would leave the GPU idle
using FlatTile = TensorTile<16, 32, 1, 2, 6>;    ///< few rows: decoding

/// An operand as stored: rows x columns. `whole`: rows begin at multiples of 16 bytes.
struct StoredMatrix {
  const bf16* data;
  Index stride, rows, columns;
  bool whole;
  void pointers(auto f) { f(data); }
};

/// C, and its start: its own values, a bias per column, or 0.
struct TensorResult {
  float* c;
  Index stride, rows, columns;
  bool accumulate;
  const float* bias;
  void pointers(auto f) { f(c), f(bias); }
};

/// Copies Rows x Columns of a matrix from (row, column) on, zeros beyond its edges. Complete after
/// the next wait for copies and barrier.
template <int Rows, int Columns>
__device__ void fetch_tile(bf16* tile, const StoredMatrix& x, Index row, Index column) {
  constexpr int unit = unit_elements<bf16>, units = Columns / unit;
  for (int u = static_cast<int>(threadIdx.x); u < Rows * units; u += static_cast<int>(blockDim.x)) {
    const int r = u / units, c = u % units * unit;
    bf16* const to = tile + tile_offset<bf16>(Columns, r, c);
    const int inside = row + r < x.rows ? elements_inside(column + c, x.columns, unit) : 0;
    const bf16* const from = x.data + (row + r) * x.stride + column + c;
    if (inside == 0 || (inside == unit && x.whole))
      copy_async(to, inside ? from : nullptr);
    else
      for (int e = 0; e < unit; ++e) to[e] = e < inside ? from[e] : bf16::from_bits(0);
  }
}

/// One thread's part of a block. TA, TB: A, B are stored transposed.
template <class Tile, bool TA, bool TB>
struct TensorBlock {
  static constexpr int depth = kTensorDepth;
  static constexpr int a_rows = TA ? depth : Tile::rows, a_columns = TA ? Tile::rows : depth;
  static constexpr int b_rows = TB ? Tile::columns : depth, b_columns = TB ? depth : Tile::columns;
  static constexpr int a_size = tile_offset<bf16>(a_columns, a_rows, 0);
  static constexpr int b_size = tile_offset<bf16>(b_columns, b_rows, 0);
  static constexpr std::size_t shared_bytes = sizeof(bf16) * Tile::stages * (a_size + b_size);
  static constexpr int down = Tile::warp_rows / 16, across = Tile::warp_columns / 8;

  const StoredMatrix &a, &b;
  const Index row, column;  // of C
  bf16* const shared;
  float c[down][across][4];

  __device__ int warp_row() const { return warp() / Tile::across * Tile::warp_rows; }
  __device__ int warp_column() const { return warp() % Tile::across * Tile::warp_columns; }
  __device__ bf16* tile_a(int buffer) const { return shared + buffer * (a_size + b_size); }
  __device__ bf16* tile_b(int buffer) const { return tile_a(buffer) + a_size; }

  /// Calls f(element of c, row of C, column of C) for elements inside C.
  template <class F>
  __device__ void for_elements(Index rows, Index columns, F f) {
#pragma unroll
    for (int i = 0; i < down; ++i)
#pragma unroll
      for (int j = 0; j < across; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const Place p = accumulator(lane(), e);
          const Index r = row + warp_row() + i * 16 + p.row;
          const Index s = column + warp_column() + j * 8 + p.col;
          if (r < rows && s < columns) f(c[i][j][e], r, s);
        }
  }

  __device__ void start(const TensorResult& y) {
#pragma unroll
    for (int i = 0; i < down; ++i)
#pragma unroll
      for (int j = 0; j < across; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) c[i][j][e] = 0;
    if (y.accumulate)
      for_elements(y.rows, y.columns,
                   [&](float& x, Index r, Index s) { x = y.c[r * y.stride + s]; });
    else if (y.bias)
      for_elements(y.rows, y.columns, [&](float& x, Index, Index s) { x = y.bias[s]; });
  }

  __device__ void fetch(Index step, Index steps) const {
    if (step < steps) {
      const int buffer = static_cast<int>(step % Tile::stages);
      const Index k = step * depth;
      fetch_tile<a_rows, a_columns>(tile_a(buffer), a, TA ? k : row, TA ? row : k);
      fetch_tile<b_rows, b_columns>(tile_b(buffer), b, TB ? column : k, TB ? k : column);
    }
    commit_copies();
  }

  __device__ void use(int buffer) {
    const bf16 *const at = tile_a(buffer), *const bt = tile_b(buffer);
#pragma unroll
    for (int k = 0; k < depth; k += step_elements<bf16>) {
      FragmentA left[down];
#pragma unroll
      for (int i = 0; i < down; ++i)
        if constexpr (TA)
          left[i] = load_a_columns<a_columns>(at, k, warp_row() + i * 16);
        else
          left[i] = load_a<bf16, a_columns>(at, warp_row() + i * 16, k);
#pragma unroll
      for (int j = 0; j < across; j += 2) {
        FragmentB right[2];
        if constexpr (TB)
          load_b_rows<bf16, b_columns>(right, bt, warp_column() + j * 8, k);
        else
          load_b_columns<bf16, b_columns>(right, bt, k, warp_column() + j * 8);
#pragma unroll
        for (int i = 0; i < down; ++i) {
          mma_bf16(c[i][j], left[i], right[0]);
          mma_bf16(c[i][j + 1], left[i], right[1]);
        }
      }
    }
  }
};

/// Grid: tiles down, tiles across.
template <class Tile, bool TA, bool TB>
__global__ void __launch_bounds__(Tile::threads)
    tensor_gemm_kernel(StoredMatrix a, StoredMatrix b, Index k, TensorResult y) {
  TensorBlock<Tile, TA, TB> block{a,
                                  b,
                                  Index{blockIdx.x} * Tile::rows,
                                  Index{blockIdx.y} * Tile::columns,
                                  dynamic_shared<bf16>(),
                                  {}};
  constexpr int ahead = Tile::stages - 1;
  const Index steps = (k + kTensorDepth - 1) / kTensorDepth;
  for (int s = 0; s < ahead; ++s) block.fetch(s, steps);
  block.start(y);
  for (Index s = 0; s < steps; ++s) {
    wait_copies<ahead - 1>();
    __syncthreads();
    block.fetch(s + ahead, steps);
    block.use(static_cast<int>(s % Tile::stages));
  }
  block.for_elements(y.rows, y.columns,
                     [&](float x, Index r, Index s) { y.c[r * y.stride + s] = x; });
}

}  // namespace gaze::cuda
