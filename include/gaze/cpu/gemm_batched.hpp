// SPDX-License-Identifier: MIT
// Many matrix products of one size on the CPU.
#pragma once
#include "gaze/core/parallel.hpp"
#include "gaze/cpu/gemm.hpp"
#include "gaze/kernels/settings.hpp"

namespace gaze::cpu {

/// c_i = op(a_i) op(b_i) for `count` products as in gemm(), or += with `accumulate`. Side by side
/// where there are enough for all threads and no two share a c_i, else in turn, each with all
/// threads.
template <class T>
void gemm_batched(bool transpose_a, bool transpose_b, Index m, Index n, Index k, Index count,
                  const MatrixBatch<const T>& a, const MatrixBatch<const T>& b,
                  const MatrixBatch<T>& c, bool accumulate, bool c_repeats) {
  const auto some = [&](Index i, Index end) {
    for (; i < end; ++i)
      gemm(transpose_a, transpose_b, m, n, k, a.data + a.places[i], a.stride, b.data + b.places[i],
           b.stride, c.data + c.places[i], c.stride, accumulate);
  };
  if (!c_repeats && count >= threads())
    parallel_for(count, (Index{1} << 21) / (m * n * k + 1) + 1, some);
  else
    some(0, count);
}

}  // namespace gaze::cpu
