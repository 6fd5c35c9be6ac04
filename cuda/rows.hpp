// SPDX-License-Identifier: MIT
// Kernels<Cuda> for rows: norms, rotary positions, softmax statistics, gather and scatter. What
// each function means stands at the CPU's function of its name in gaze/cpu/rows.hpp; indices and
// positions are device memory here, and those out of range are left alone. Defined in rows.cu.
#pragma once
#include <cstdint>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

struct RowKernels {
  template <class T>
  static void rms_norm_forward(Index n, Index c, const T* x, const T* weight, T eps, T* y,
                               T* inv_rms);
  template <class T>
  static void rms_norm_backward(Index n, Index c, const T* x, const T* weight, const T* inv_rms,
                                const T* dy, T* dx, T* dweight, bool accumulate_dx = false);
  template <class T>
  static void layer_norm_forward(Index n, Index c, const T* x, const T* weight, const T* bias,
                                 T eps, T* y, T* mean, T* inv_std);
  template <class T>
  static void layer_norm_backward(Index n, Index c, const T* x, const T* weight, const T* mean,
                                  const T* inv_std, const T* dy, T* dx, T* dweight, T* dbias,
                                  bool accumulate_dx = false);
  template <class T>
  static void rotary(Index n, Index heads, Index head_size, Index stride,
                     const std::int32_t* position, T theta, T* x, bool inverse);
  template <class T>
  static void softmax_stats(Index n, Index v, const T* logits, Index stride, T inv_temperature,
                            const std::int32_t* target, T* logp, T* entropy, T* lse);
  template <class T>
  static void softmax_stats_backward(Index n, Index v, T* logits, Index stride, T inv_temperature,
                                     const std::int32_t* target, const T* lse, const T* entropy,
                                     const T* dlogp, const T* dentropy);
  template <class T>
  static void column_sum(Index n, Index c, const T* x, T* out);
  template <class T>
  static void gather_rows(Index n, Index c, const T* table, const std::int32_t* index, T* out);
  template <class T>
  static void scatter_add_rows(Index n, Index c, const T* x, const std::int32_t* index,
                               Index table_rows, T* table);
  template <class T>
  static void copy_rows(Index n, Index c, const T* x, Index x_stride, T* y, Index y_stride);
};

}  // namespace gaze::cuda
