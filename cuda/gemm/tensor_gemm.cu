// SPDX-License-Identifier: MIT
// Launches the batch-invariant product: which tile, and how many blocks of it.
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

bool tensor_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const bf16* a,
                 Index lda, const bf16* b, Index ldb, float* c, Index ldc, bool accumulate,
                 const float* bias, TensorTiles tiles) {
  if (device().compute < 80) return false;
  if (m <= 0 || n <= 0) return true;
  if (tiles == TensorTiles::fitting) tiles = fitting_tiles(m, n, device().multiprocessors);
  const StoredMatrix left = transpose_a ? stored(a, lda, k, m) : stored(a, lda, m, k);
  const StoredMatrix right = transpose_b ? stored(b, ldb, n, k) : stored(b, ldb, k, n);
  const TensorResult y{c, ldc, m, n, accumulate, bias};
  if (transpose_a && transpose_b)
    choose_tiles<true, true>(tiles, left, right, k, y);
  else if (transpose_a)
    choose_tiles<true, false>(tiles, left, right, k, y);
  else if (transpose_b)
    choose_tiles<false, true>(tiles, left, right, k, y);
  else
    choose_tiles<false, false>(tiles, left, right, k, y);
  return true;
}

}  // namespace gaze::cuda
