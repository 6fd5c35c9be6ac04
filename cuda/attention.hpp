// SPDX-License-Identifier: MIT
// Kernels<Cuda>, attention: see gaze/cpu/attention.hpp for what each function means. Slots, ranges
// and groups are device memory here and were checked on the host, where the layout was made
// (ops/token_layout.hpp). Defined in attention.cu.
//
// Operands (queries, keys, values) are of type U: T, or bf16 where T is float.
#pragma once
#include <cstdint>
#include <memory>

#include "gaze/kernels/attention_layout.hpp"

namespace gaze::cuda {

struct AttentionKernels {
  static constexpr bool attention_takes_bf16 = true;

  /// From host memory: with it the kernels on tensor cores can be used (fused_attention.hpp). Own
  /// ranges may grow by `room` keys on the device while it is in use.
  static std::shared_ptr<const void> plan_attention(Index rows, const KeyRange* ranges, Index room);

  template <class U>
  static void store_keys(const AttentionShape& shape, Index rows, const U* k, Index stride,
                         const std::int32_t* slot, U* keys);
  template <class U>
  static void store_values(const AttentionShape& shape, Index rows, const U* v, Index stride,
                           const std::int32_t* slot, U* values);
  template <class T>
  static void load_rows(const AttentionShape& shape, Index rows, const T* store,
                        const std::int32_t* slot, T* out, Index stride);
  template <class U, class T>
  static void attention_forward(const AttentionShape& shape, Index rows, const U* q, Index q_stride,
                                const U* keys, const U* values, const float* marks,
                                const RowKeys& seen, T* out, T* lse, T* mark_out);
  template <class U, class T>
  static void attention_backward(const AttentionShape& shape, Index rows, const U* q,
                                 Index q_stride, const U* keys, const U* values, const float* marks,
                                 const RowKeys& seen, const Index* group_begin, Index groups,
                                 const T* out, const T* lse, const T* mark_out, const T* dout,
                                 const T* dmark_out, T* dq, T* dkeys, T* dvalues);
};

}  // namespace gaze::cuda
