// SPDX-License-Identifier: MIT
// The plain matrix product C = start + op(A) op(B), the oracle of the fast ones.
//
// A block of 16 x 16 threads computes a tile of 64 x 64 elements of C, each thread 4 x 4 of them,
// 16 apart. Tiles of 64 x 16 of op(A) and 16 x 64 of op(B) go through shared memory, with zeros
// beyond the edges; an element of C is one chain of multiply-adds over ascending k.
#pragma once
#include "cuda/device/device.cuh"

namespace gaze::cuda {

inline constexpr int kTile = 64, kTileDepth = 16, kTileSide = 16, kTileEach = kTile / kTileSide;

/// A matrix as stored, read as op(X).
template <class T>
struct Operand {
  const T* data;
  Index stride;
  bool transpose;
  __device__ T at(Index row, Index column) const {
    return transpose ? data[column * stride + row] : data[row * stride + column];
  }
  void pointers(auto f) { f(data); }
};

/// Thread t of 256 loads elements t, t + 256, ... of both tiles. The first barrier publishes them,
/// the second keeps them until all threads have used them. gridDim.y is at most 65535, so blocks
/// loop over further tiles. Operands of another type U (bf16) are converted to T in the tiles.
template <class U, class T>
__global__ void gemm_kernel(Index m, Index n, Index k, Operand<U> a, Operand<U> b, T* c, Index ldc,
                            bool accumulate, const T* bias) {
  __shared__ T tile_a[kTileDepth][kTile + 1], tile_b[kTileDepth][kTile + 1];
  const int x = static_cast<int>(threadIdx.x) % kTileSide;
  const int y = static_cast<int>(threadIdx.x) / kTileSide;
  const Index column = Index{blockIdx.x} * kTile;
  for (Index row = Index{blockIdx.y} * kTile; row < m; row += Index{gridDim.y} * kTile) {
    T sum[kTileEach][kTileEach];
    for (int i = 0; i < kTileEach; ++i)
      for (int j = 0; j < kTileEach; ++j) {
        const Index r = row + y + i * kTileSide, s = column + x + j * kTileSide;
        const bool inside = r < m && s < n;
        sum[i][j] = inside && accumulate ? c[r * ldc + s] : inside && bias ? bias[s] : T(0);
      }
    for (Index first = 0; first < k; first += kTileDepth) {
      for (int t = static_cast<int>(threadIdx.x); t < kTile * kTileDepth; t += 256) {
        // Neighbouring threads read neighbouring addresses in both storage orders.
        const int ai = a.transpose ? t % kTile : t / kTileDepth;
        const int ap = a.transpose ? t / kTile : t % kTileDepth;
        const int bj = b.transpose ? t / kTileDepth : t % kTile;
        const int bp = b.transpose ? t % kTileDepth : t / kTile;
        const bool in_a = row + ai < m && first + ap < k, in_b = column + bj < n && first + bp < k;
        tile_a[ap][ai] = in_a ? static_cast<T>(a.at(row + ai, first + ap)) : T(0);
        tile_b[bp][bj] = in_b ? static_cast<T>(b.at(first + bp, column + bj)) : T(0);
      }
      __syncthreads();
      for (int p = 0; p < kTileDepth; ++p)
        for (int i = 0; i < kTileEach; ++i)
          for (int j = 0; j < kTileEach; ++j)
            sum[i][j] += tile_a[p][y + i * kTileSide] * tile_b[p][x + j * kTileSide];
      __syncthreads();
    }
    for (int i = 0; i < kTileEach; ++i)
      for (int j = 0; j < kTileEach; ++j) {
        const Index r = row + y + i * kTileSide, s = column + x + j * kTileSide;
        if (r < m && s < n) c[r * ldc + s] = sum[i][j];
      }
  }
}

}  // namespace gaze::cuda
