// SPDX-License-Identifier: MIT
// Products of bf16 operands on tensor cores whose rows do not depend on the batch
// (tensor_gemm.cuh). Defined in tensor_gemm.cu.
#pragma once
#include "gaze/kernels/gemm.hpp"

namespace gaze::cuda {

/// The tile of C that a block computes. All give the same bits; `fitting` chooses by m, n and the
/// size of the GPU.
enum class TensorTiles { fitting, wide, narrow, flat };

/// Computes the product and returns true. On a GPU of compute capability below 8.0, does nothing
/// and returns false.
bool tensor_gemm(const args::Gemm<bf16>& a, TensorTiles tiles = TensorTiles::fitting);

/// Tiles for an m x n result: flat ones for at most 16 rows, wide ones, which read each operand
/// least often, where there is one for every multiprocessor.
constexpr TensorTiles fitting_tiles(Index m, Index n, int multiprocessors) {
  if (m <= 16) return TensorTiles::flat;
  return (m + 127) / 128 * ((n + 127) / 128) >= multiprocessors ? TensorTiles::wide
                                                                : TensorTiles::narrow;
}

/// How many of the `unit` elements from `at` on are below n.
constexpr int elements_inside(Index at, Index n, int unit) {
  return at >= n ? 0 : n - at < unit ? static_cast<int>(n - at) : unit;
}

}  // namespace gaze::cuda
