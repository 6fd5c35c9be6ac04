// SPDX-License-Identifier: MIT
// Products of bf16 operands on tensor cores whose rows do not depend on the batch
// (tensor_gemm.cuh). Defined in tensor_gemm.cu.
#pragma once
#include "gaze/core/bf16.hpp"
#include "gaze/core/index.hpp"

namespace gaze::cuda {

/// The tile of C that a block makes. All give the same bits; `fitting` is what is taken without
/// being asked: by m, n and the size of the GPU.
enum class TensorTiles { fitting, wide, narrow, flat };

/// Does the product as MatrixKernels::gemm says and returns true; or returns false, and nothing was
/// done: on a GPU of compute capability below 8.0, whatever the sizes.
bool tensor_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const bf16* a,
                 Index lda, const bf16* b, Index ldb, float* c, Index ldc, bool accumulate,
                 const float* bias, TensorTiles tiles = TensorTiles::fitting);

/// Of an m x n result on a GPU of so many multiprocessors. Wide tiles where there is one for every
/// multiprocessor, since they read each operand least often; flat ones for at most 16 rows.
constexpr TensorTiles fitting_tiles(Index m, Index n, int multiprocessors) {
  if (m <= 16) return TensorTiles::flat;
  return (m + 127) / 128 * ((n + 127) / 128) >= multiprocessors ? TensorTiles::wide
                                                                : TensorTiles::narrow;
}

/// How many of `unit` elements from `at` on lie below n.
constexpr int elements_inside(Index at, Index n, int unit) {
  return at >= n ? 0 : n - at < unit ? static_cast<int>(n - at) : unit;
}

}  // namespace gaze::cuda
