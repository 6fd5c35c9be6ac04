// SPDX-License-Identifier: MIT
// Kernels<Cuda>, patches of images and batches of products; what each function means stands at the
// CPU's function of its name in gaze/cpu/patches.hpp and gemm_batched.hpp. unfold and fold_add are
// defined in patches.cu.
#pragma once
#include "cuda/gemm/matrix.hpp"
#include "gaze/kernels/patches.hpp"
#include "gaze/kernels/settings.hpp"

namespace gaze::cuda {

struct PatchKernels {
  template <class T>
  static void unfold(const PatchGrid& grid, const T* x, T* patches);
  template <class T>
  static void fold_add(const PatchGrid& grid, const T* patches, T* x);
};

struct BatchKernels {
  /// One product after another, in the stream's order: those that share a result take turns.
  template <class T>
  static void gemm_batched(bool transpose_a, bool transpose_b, Index m, Index n, Index k,
                           Index count, const MatrixBatch<const T>& a,
                           const MatrixBatch<const T>& b, const MatrixBatch<T>& c, bool accumulate,
                           bool) {
    for (Index i = 0; i < count; ++i)
      MatrixKernels::gemm(transpose_a, transpose_b, m, n, k, a.data + a.places[i], a.stride,
                          b.data + b.places[i], b.stride, c.data + c.places[i], c.stride,
                          accumulate);
  }
};

}  // namespace gaze::cuda
