// SPDX-License-Identifier: MIT
// Kernels<Cpu>: the processor's side of the kernel contract. float runs on the vector kernels of
// the instruction set in use, double on readable loops (the oracle, and for gradient checks).
#pragma once
#include "gaze/core/arithmetic.hpp"
#include "gaze/cpu/attention.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/gemm.hpp"
#include "gaze/cpu/gemm_batched.hpp"
#include "gaze/cpu/gemm_bf16.hpp"
#include "gaze/cpu/linear_gelu.hpp"
#include "gaze/cpu/optimiser.hpp"
#include "gaze/cpu/patches.hpp"
#include "gaze/cpu/pointwise.hpp"
#include "gaze/cpu/reduce_rows.hpp"
#include "gaze/cpu/rows.hpp"
#include "gaze/cpu/sorting.hpp"
#include "gaze/cpu/strided.hpp"
#include "gaze/cpu/values.hpp"
#include "gaze/kernels/contract.hpp"
#include "gaze/kernels/kernels.hpp"

#ifdef GAZE_CPU_COMPILED
namespace gaze::cpu {
#define GAZE_INSTANTIATE extern template
#define GAZE_T float
#include "gaze/cpu/instantiate.inl"
#undef GAZE_T
#define GAZE_T double
#include "gaze/cpu/instantiate.inl"
#undef GAZE_T
#include "gaze/cpu/instantiate_bf16.inl"
#undef GAZE_INSTANTIATE
}  // namespace gaze::cpu
#endif

namespace gaze {

// The return type is spelt out so that checking the contract instantiates no kernel.
#define GAZE_CPU_KERNEL(NAME)                                    \
  template <class... Args>                                       \
  static auto NAME(Args... args)->decltype(cpu::NAME(args...)) { \
    return cpu::NAME(args...);                                   \
  }

template <>
struct Kernels<Cpu> {
  GAZE_CPU_KERNEL(store_keys)
  GAZE_CPU_KERNEL(store_values)
  GAZE_CPU_KERNEL(load_rows)
  GAZE_CPU_KERNEL(rms_norm_forward)
  GAZE_CPU_KERNEL(rms_norm_backward)
  GAZE_CPU_KERNEL(layer_norm_forward)
  GAZE_CPU_KERNEL(layer_norm_backward)
  GAZE_CPU_KERNEL(rotary)
  GAZE_CPU_KERNEL(softmax_stats)
  GAZE_CPU_KERNEL(softmax_stats_backward)
  GAZE_CPU_KERNEL(column_sum)
  GAZE_CPU_KERNEL(gather_rows)
  GAZE_CPU_KERNEL(scatter_add_rows)
  GAZE_CPU_KERNEL(add)
  GAZE_CPU_KERNEL(sub)
  GAZE_CPU_KERNEL(mul)
  GAZE_CPU_KERNEL(div)
  GAZE_CPU_KERNEL(axpy)
  GAZE_CPU_KERNEL(scale)
  GAZE_CPU_KERNEL(fill)
  GAZE_CPU_KERNEL(copy)
  GAZE_CPU_KERNEL(unary_forward)
  GAZE_CPU_KERNEL(unary_backward)
  GAZE_CPU_KERNEL(swiglu_forward)
  GAZE_CPU_KERNEL(swiglu_backward)
  GAZE_CPU_KERNEL(sum)
  GAZE_CPU_KERNEL(sum_squares)
  GAZE_CPU_KERNEL(adamw_step)
  GAZE_CPU_KERNEL(copy_rows)
  GAZE_CPU_KERNEL(copy_strided)
  GAZE_CPU_KERNEL(add_strided)
  GAZE_CPU_KERNEL(binary_strided)
  GAZE_CPU_KERNEL(unfold)
  GAZE_CPU_KERNEL(fold_add)
  GAZE_CPU_KERNEL(sum_to)
  GAZE_CPU_KERNEL(fill_from)
  GAZE_CPU_KERNEL(cast)
  GAZE_CPU_KERNEL(check_values)
  GAZE_CPU_KERNEL(copy_to_strided)
  GAZE_CPU_KERNEL(pointwise_forward)
  GAZE_CPU_KERNEL(pointwise_backward)
  GAZE_CPU_KERNEL(power_forward)
  GAZE_CPU_KERNEL(power_backward)
  GAZE_CPU_KERNEL(compare)
  GAZE_CPU_KERNEL(choose)
  GAZE_CPU_KERNEL(variance_forward)
  GAZE_CPU_KERNEL(variance_backward)
  GAZE_CPU_KERNEL(best_in_rows)
  GAZE_CPU_KERNEL(logsumexp_forward)
  GAZE_CPU_KERNEL(logsumexp_backward)
  GAZE_CPU_KERNEL(softmax_forward)
  GAZE_CPU_KERNEL(softmax_backward)
  GAZE_CPU_KERNEL(cumsum)
  GAZE_CPU_KERNEL(gather_elements)
  GAZE_CPU_KERNEL(scatter_add_elements)
  GAZE_CPU_KERNEL(order_rows)

  template <class... Args>
  static void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, Args... args) {
    count_arithmetic(2 * m * n * k);
    cpu::gemm(transpose_a, transpose_b, m, n, k, args...);
  }
  template <class... Args>
  static void gemm_batched(bool transpose_a, bool transpose_b, Index m, Index n, Index k,
                           Index count, Args... args) {
    count_arithmetic(2 * m * n * k * count);
    cpu::gemm_batched(transpose_a, transpose_b, m, n, k, count, args...);
  }
  template <class... Args>
  static void linear_gelu_forward(Index m, Index n, Index k, Args... args) {
    count_arithmetic(2 * m * n * k);
    cpu::linear_gelu_forward(m, n, k, args...);
  }
  template <class... Args>
  static void linear_gelu_backward(Index m, Index n, Index k, Args... args) {
    count_arithmetic(2 * m * n * k);
    cpu::linear_gelu_backward(m, n, k, args...);
  }
  template <class T, class... Args>
  static void attention_forward(const AttentionShape& shape, Index rows, const T* q, Index stride,
                                const T* keys, const T* values, const float* marks,
                                const KeyRange* ranges, Args... args) {
    count_arithmetic(4 * cpu::detail::seen_keys(rows, ranges) * shape.heads * shape.head_size);
    cpu::attention_forward(shape, rows, q, stride, keys, values, marks, ranges, args...);
  }
  template <class T, class... Args>
  static void attention_backward(const AttentionShape& shape, Index rows, const T* q, Index stride,
                                 const T* keys, const T* values, const float* marks,
                                 const KeyRange* ranges, Args... args) {
    count_arithmetic(10 * cpu::detail::seen_keys(rows, ranges) * shape.heads * shape.head_size);
    cpu::attention_backward(shape, rows, q, stride, keys, values, marks, ranges, args...);
  }
};

#undef GAZE_CPU_KERNEL

static_assert(KernelSet<Kernels<Cpu>, float> && KernelSet<Kernels<Cpu>, double> &&
              Bf16Kernels<Kernels<Cpu>>);

}  // namespace gaze
