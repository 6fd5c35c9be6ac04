// SPDX-License-Identifier: MIT
// Kernels that access 16 bytes at a time, for float and bf16 (T) with float statistics and
// gradients. The kernels of the contract call them where sizes and addresses allow.
//
// Unless stated otherwise, all pointers are device memory aligned to 16 bytes, and c, the number of
// columns, is a multiple of 16 bytes of T (an error otherwise).
#pragma once
#include <cstdint>

#include "gaze/kernels/contract.hpp"

// Rows (rows_vectorised.cu), as in the contract; softmax_stats and its backward take any v, stride
// and alignment.
// clang-format off
#define GAZE_VECTORISED_ROW_KERNELS(KERNEL, T)                                                     \
  KERNEL(void, rms_norm_forward, (const args::RmsNormForward<T>& a), (a))                          \
  KERNEL(void, rms_norm_backward, (const args::RmsNormBackward<T>& a), (a))                        \
  KERNEL(void, layer_norm_forward, (const args::LayerNormForward<T>& a), (a))                      \
  KERNEL(void, layer_norm_backward, (const args::LayerNormBackward<T>& a), (a))                    \
  KERNEL(void, softmax_stats, (const args::SoftmaxStats<T>& a), (a))                               \
  KERNEL(void, softmax_stats_backward, (const args::SoftmaxStatsBackward<T>& a), (a))

// Elements (elementwise_vectorised.cu): swiglu as in the contract; y [n,c] = gelu(x + bias), and
// dx = dy gelu'(x + bias), where dx may be dy.
#define GAZE_VECTORISED_ELEMENT_KERNELS(KERNEL, T)                                                 \
  KERNEL(void, swiglu_forward, (Index n, Index c, const T* gate_up, T* y), (n, c, gate_up, y))     \
  KERNEL(void, swiglu_backward, (Index n, Index c, const T* gate_up, const float* dy,              \
         float* dgate_up), (n, c, gate_up, dy, dgate_up))                                          \
  KERNEL(void, bias_gelu_forward, (Index n, Index c, const T* x, const T* bias, T* y),             \
         (n, c, x, bias, y))                                                                       \
  KERNEL(void, bias_gelu_backward, (Index n, Index c, const T* x, const T* bias, const float* dy,  \
         float* dx), (n, c, x, bias, dy, dx))
// clang-format on

namespace gaze::cuda::vectorised {

GAZE_VECTORISED_ROW_KERNELS(GAZE_DECLARE_KERNEL, T)
GAZE_VECTORISED_ELEMENT_KERNELS(GAZE_DECLARE_KERNEL, T)

/// scatter_add_rows in time that does not grow with the size of the table. Any c and alignment.
void embedding_gradient(Index n, Index c, const float* x, const std::int32_t* index,
                        Index table_rows, float* table);

/// adamw_step that also writes the parameters, rounded to bf16, to `copy` [n] unless that is null.
/// n is a multiple of 4.
void adamw_step(const args::AdamW<float>& a, bf16* copy);

}  // namespace gaze::cuda::vectorised
