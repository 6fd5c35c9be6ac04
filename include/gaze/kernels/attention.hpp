// SPDX-License-Identifier: MIT
// Attention over a key-value store, and the kernels that move rows in and out of the store.
#pragma once
#include <cstdint>

#include "gaze/core/bf16.hpp"
#include "gaze/kernels/attention_layout.hpp"

namespace gaze::args {

/// Scatters n rows x [n, kv_heads, D] to slot[row] of a store: keys lie as
/// [kv_heads][slots / 16][D][16], values as [kv_heads][slots][D]. Slots must differ.
template <class T>
struct StoreRows {
  AttentionShape shape;
  Index n;
  const T* x;
  Index stride;              // elements from one row of x to the next
  const std::int32_t* slot;  // [n]
  T* store;
};

/// Gathers n rows y [n, kv_heads, D] from slot[row] of a store [kv_heads][slots][D]: values, or the
/// gradients of keys and values.
template <class T>
struct LoadRows {
  AttentionShape shape;
  Index n;
  const T* store;
  const std::int32_t* slot;  // [n]
  T* y;
  Index stride;  // elements from one row of y to the next
};

/// Queries, the store, and the keys that each row sees.
template <class T>
struct AttentionInputs {
  AttentionShape shape;
  Index n;             // rows
  const T* q;          // n rows of [H, D]
  Index q_stride;      // elements from one row of q to the next
  const T* keys;       // [kv_heads][slots / 16][D][16]
  const T* values;     // [kv_heads][slots][D]
  const float* marks;  // [slots, M], or null where M is 0
  RowKeys seen;        // [n]
};

/// For row r and head h, over the positions p that seen[r] shows:
///   P[p] = softmax_p(scale q . k[p]),  out = sum_p P[p] v[p],  mark_out[m] = sum_p P[p]
///   mark[p][m].
/// Slots that no row sees may contain anything. Error: a row that sees no key, or ranges outside
/// the store.
template <class T>
struct AttentionForward {
  AttentionInputs<T> in;
  GradOf<T>* out;       // [n, H, D]
  GradOf<T>* lse;       // [n, H], ln sum exp(scores)
  GradOf<T>* mark_out;  // [n, H, M], or null
};

/// The derivative of AttentionForward:
///   dP = dout . v + sum_m dmark[m] mark[m],  delta = dout . out + sum_m dmark[m] mark_out[m],
///   dS = P (dP - delta),  dq = scale dS k,  dk = scale dS^T q,  dv = P^T dout.
/// Group g is rows [group_begin[g], group_begin[g + 1]), the last one up to n; rows of different
/// groups may share no slot. Writes dq, dkeys and dvalues, with 0 in slots that no row sees. Sums
/// are taken in an order that the number of threads does not change.
template <class T>
struct AttentionBackward {
  AttentionInputs<T> in;
  const Index* group_begin;  // [groups]
  Index groups;
  const GradOf<T>* out;        // [n, H, D]
  const GradOf<T>* lse;        // [n, H]
  const GradOf<T>* mark_out;   // [n, H, M], or null
  const GradOf<T>* dout;       // [n, H, D]
  const GradOf<T>* dmark_out;  // [n, H, M], or null
  GradOf<T>* dq;               // [n, H, D]
  GradOf<T>* dkeys;            // [kv_heads][slots][D]
  GradOf<T>* dvalues;          // [kv_heads][slots][D]
};

}  // namespace gaze::args

// A device whose Kernels have `attention_takes_bf16` set has these for bf16 too.
// clang-format off
#define GAZE_ATTENTION_KERNELS(KERNEL, T)                                                          \
  KERNEL(void, store_keys, (const args::StoreRows<T>& a), (a))                                     \
  KERNEL(void, store_values, (const args::StoreRows<T>& a), (a))                                   \
  KERNEL(void, attention_forward, (const args::AttentionForward<T>& a), (a))                       \
  KERNEL(void, attention_backward, (const args::AttentionBackward<T>& a), (a))
// clang-format on

// clang-format off
#define GAZE_LOAD_KERNELS(KERNEL, T)                                                               \
  KERNEL(void, load_rows, (const args::LoadRows<T>& a), (a))
// clang-format on
