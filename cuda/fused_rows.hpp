// SPDX-License-Identifier: MIT
// Fast kernels over rows and parameters, for float and bf16 (T), with float statistics and
// gradients. What they mean stands at the CPU's kernels of the same name (gaze/cpu/rows.hpp,
// optimiser.hpp); beside each, what it asks for beyond that.
#pragma once
#include <cstdint>

#include "cuda/host/runtime.hpp"
#include "gaze/core/bf16.hpp"
#include "gaze/core/index.hpp"
#include "gaze/kernels/settings.hpp"

namespace gaze::cuda {

/// All pointers are device memory at multiples of 16 bytes; columns c are whole 16 bytes of T.
struct FusedRows {
  /// Are rows of c columns of T whole vectors?
  template <class T>
  static constexpr bool possible(Index c) {
    return c * static_cast<Index>(sizeof(T)) % 16 == 0;
  }

  template <class T>
  static void rms_norm_forward(Index n, Index c, const T* x, const T* weight, float eps, T* y,
                               float* inv_rms);
  template <class T>
  static void rms_norm_backward(Index n, Index c, const T* x, const T* weight, const float* inv_rms,
                                const float* dy, float* dx, float* dweight, bool accumulate_dx);
  template <class T>
  static void layer_norm_forward(Index n, Index c, const T* x, const T* weight, const T* bias,
                                 float eps, T* y, float* mean, float* inv_std);
  template <class T>
  static void layer_norm_backward(Index n, Index c, const T* x, const T* weight, const float* mean,
                                  const float* inv_std, const float* dy, float* dx, float* dweight,
                                  float* dbias, bool accumulate_dx);

  template <class T>
  static void swiglu_forward(Index n, Index c, const T* gate_up, T* y);
  template <class T>
  static void swiglu_backward(Index n, Index c, const T* gate_up, const float* dy, float* dgate_up);
  /// y [n,c] = gelu(x + bias); dx = dy gelu'(x + bias), and dx may be dy.
  template <class T>
  static void bias_gelu_forward(Index n, Index c, const T* x, const T* bias, T* y);
  template <class T>
  static void bias_gelu_backward(Index n, Index c, const T* x, const T* bias, const float* dy,
                                 float* dx);

  /// Any v and stride.
  template <class T>
  static void softmax_stats(Index n, Index v, const T* logits, Index stride, float inv_temperature,
                            const std::int32_t* target, float* logp, float* entropy, float* lse);
  template <class T>
  static void softmax_stats_backward(Index n, Index v, T* logits, Index stride,
                                     float inv_temperature, const std::int32_t* target,
                                     const float* lse, const float* entropy, const float* dlogp,
                                     const float* dentropy);

  /// scatter_add_rows whose work does not grow with the table; any c.
  template <class G>
  static void embedding_gradient(Index n, Index c, const G* x, const std::int32_t* index,
                                 Index table_rows, G* table);

  /// `copy`, where not null, becomes the masters rounded to bf16. n is a multiple of 4.
  static void adamw_step(Index n, float* master, const float* grad, float* m, float* v,
                         const AdamWStep<float>& settings, float bias_correction1,
                         float bias_correction2, float grad_scale, bf16* copy);
};

}  // namespace gaze::cuda
