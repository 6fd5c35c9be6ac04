// SPDX-License-Identifier: MIT
// Launches the batch-invariant product: chooses the tile and the number of blocks.
#include "cuda/gemm/tensor_gemm.hpp"

#include "cuda/gemm/tensor_gemm.cuh"

namespace gaze::cuda {

namespace {

StoredMatrix stored(const bf16* data, Index stride, Index rows, Index columns) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  return {data, stride, rows, columns, address % kUnit == 0 && stride % unit_elements<bf16> == 0};
}

template <class Tile, bool TA, bool TB>
void launch_tiles(const StoredMatrix& a, const StoredMatrix& b, Index k, const TensorResult& y) {
  launch({"tensor_gemm",
          dim3(grid_size("tensor_gemm", pieces(y.rows, Tile::rows)),
               grid_size("tensor_gemm", pieces(y.columns, Tile::columns))),
          dim3(Tile::threads), TensorBlock<Tile, TA, TB>::shared_bytes},
         tensor_gemm_kernel<Tile, TA, TB>, a, b, k, y);
}

template <bool TA, bool TB>
void choose_tiles(TensorTiles tiles, const StoredMatrix& a, const StoredMatrix& b, Index k,
                  const TensorResult& y) {
  switch (tiles) {
    case TensorTiles::wide:
      return launch_tiles<WideTile, TA, TB>(a, b, k, y);
    case TensorTiles::narrow:
      return launch_tiles<NarrowTile, TA, TB>(a, b, k, y);
    default:
      return launch_tiles<FlatTile, TA, TB>(a, b, k, y);
  }
}

}  // namespace

bool tensor_gemm(const args::Gemm<bf16>& a, TensorTiles tiles) {
  if (device().compute < 80) return false;
  if (a.m <= 0 || a.n <= 0) return true;
  if (tiles == TensorTiles::fitting) tiles = fitting_tiles(a.m, a.n, device().multiprocessors);
  const StoredMatrix left =
      a.transpose_a ? stored(a.a, a.lda, a.k, a.m) : stored(a.a, a.lda, a.m, a.k);
  const StoredMatrix right =
      a.transpose_b ? stored(a.b, a.ldb, a.n, a.k) : stored(a.b, a.ldb, a.k, a.n);
  const TensorResult y{a.c, a.ldc, a.m, a.n, a.accumulate, a.bias};
  if (a.transpose_a && a.transpose_b)
    choose_tiles<true, true>(tiles, left, right, a.k, y);
  else if (a.transpose_a)
    choose_tiles<true, false>(tiles, left, right, a.k, y);
  else if (a.transpose_b)
    choose_tiles<false, true>(tiles, left, right, a.k, y);
  else
    choose_tiles<false, false>(tiles, left, right, a.k, y);
  return true;
}

}  // namespace gaze::cuda
