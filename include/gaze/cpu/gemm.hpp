// SPDX-License-Identifier: MIT
// Matrix products on the CPU: alone, in batches, and with gelu (the tanh form), which a device may
// fuse. float and double: gemm_pieces.hpp; operands of bf16: gemm_bf16.hpp; patches of images:
// gemm_patches.hpp.
#pragma once
#include <type_traits>

#include "gaze/core/parallel.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/gemm_bf16.hpp"
#include "gaze/cpu/gemm_patches.hpp"
#include "gaze/cpu/gemm_pieces.hpp"

namespace gaze::cpu {

template <class T>
void gemm(const args::Gemm<T>& a) {
  if constexpr (std::is_same_v<T, bf16>)
    detail::gemm_bf16(a);
  else
    detail::gemm_in_pieces(a);
}

/// The products run side by side where there are enough for all threads and no two share a c_i,
/// else one after the other, each on all threads.
template <class T>
void gemm_batched(const args::GemmBatched<T>& a) {
  const auto some = [&](Index i, Index end) {
    for (; i < end; ++i) gemm(args::product(a, i));
  };
  if (!a.c_repeats && a.count >= threads())
    parallel_for(a.count, (Index{1} << 21) / (a.m * a.n * a.k + 1) + 1, some);
  else
    some(0, a.count);
}

template <class T>
void linear_gelu_forward(const args::LinearGeluForward<T>& a) {
  gemm(args::product(a));
  unary_forward(args::UnaryForward<T>{.op = UnaryOp::gelu, .n = a.m * a.n, .x = a.pre, .y = a.y});
}

template <class T>
void linear_gelu_backward(const args::LinearGeluBackward<T>& a) {
  gemm(args::product(a));
  unary_backward(args::UnaryBackward<T>{
      .op = UnaryOp::gelu, .n = a.m * a.n, .x = a.pre, .y = nullptr, .dy = a.dpre, .dx = a.dpre});
}

}  // namespace gaze::cpu
