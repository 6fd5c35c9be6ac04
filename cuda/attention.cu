// SPDX-License-Identifier: MIT
// Launches the attention kernels.
#include "cuda/attention.cuh"

#include "cuda/attention.hpp"
#include "cuda/flash/fused_attention.hpp"
#include "cuda/host/choice.hpp"

namespace gaze::cuda {

namespace {

/// The kernels on tensor cores for these ranges, or null where they cannot be used.
template <class U>
const FusedAttention<U>* on_tensor_cores(const AttentionShape& shape, const RowKeys& ranges,
                                         const U* q, Index q_stride, AttentionUse use) {
  const auto whole =
      reinterpret_cast<std::uintptr_t>(q) | static_cast<std::uintptr_t>(q_stride) * sizeof(U);
  if (!ranges.plan || !kernel_choice.fast || whole % 16 != 0) return nullptr;
  return static_cast<const AttentionPlans*>(ranges.plan)->find<U>(shape, use);
}

}  // namespace

std::shared_ptr<const void> AttentionKernels::plan_attention(Index rows, const KeyRange* ranges,
                                                             Index room) {
  return std::make_shared<const AttentionPlans>(
      rows, ranges, checked_int32("attention", "the room for further keys", room, kMostKeys - 1));
}

template <class U>
void AttentionKernels::store_keys(const AttentionShape& shape, Index rows, const U* k, Index stride,
                                  const std::int32_t* slot, U* keys) {
  for_each("store_keys", rows * shape.kv_heads * shape.head_size,
           StoreRows<U>{shape, stride, k, slot, keys});
}
template <class U>
void AttentionKernels::store_values(const AttentionShape& shape, Index rows, const U* v,
                                    Index stride, const std::int32_t* slot, U* values) {
  for_each("store_values", rows * shape.kv_heads * shape.head_size,
           StoreRows<U>{shape, stride, v, slot, values});
}
template <class T>
void AttentionKernels::load_rows(const AttentionShape& shape, Index rows, const T* store,
                                 const std::int32_t* slot, T* out, Index stride) {
  for_each("load_rows", rows * shape.kv_heads * shape.head_size,
           LoadRows<T>{shape, stride, store, slot, out});
}

template <class U, class T>
void AttentionKernels::attention_forward(const AttentionShape& shape, Index rows, const U* q,
                                         Index q_stride, const U* keys, const U* values,
                                         const float* marks, const RowKeys& ranges, T* out, T* lse,
                                         T* mark_out) {
  if (rows <= 0) return;
  if constexpr (!std::is_same_v<T, double>)
    if (const auto* f = on_tensor_cores(shape, ranges, q, q_stride,
                                        {false, kernel_choice.split && !kernel_choice.invariant}))
      return f->forward(q, q_stride, keys, values, marks, ranges, out, lse, mark_out);
  const Index columns = mark_out ? shape.marks : 0;
  const AttentionInputs<U, T> in{shape, rows, q, q_stride, keys, values, marks, ranges};
  launch({"attention_forward", blocks_for(rows * shape.heads, kAttentionWarps),
          dim3(kAttentionThreads), attention_forward_shared<T>(shape, columns)},
         attention_forward_kernel<U, T>, in, columns, out, lse, mark_out);
}

template <class U, class T>
void AttentionKernels::attention_backward(const AttentionShape& shape, Index rows, const U* q,
                                          Index q_stride, const U* keys, const U* values,
                                          const float* marks, const RowKeys& ranges, const Index*,
                                          Index, const T* out, const T* lse, const T* mark_out,
                                          const T* dout, const T* dmark_out, T* dq, T* dkeys,
                                          T* dvalues) {
  if constexpr (!std::is_same_v<T, double>)
    if (const auto* f = on_tensor_cores(shape, ranges, q, q_stride, {true, false}))
      return f->backward(q, q_stride, keys, values, marks, ranges, out, lse, mark_out, dout,
                         dmark_out, dq, dkeys, dvalues);
  const Storage<Cuda> deltas(static_cast<std::size_t>(rows * shape.heads) * sizeof(T));
  const Storage<Cuda> of_slots(static_cast<std::size_t>(2 * shape.slots) * sizeof(std::int32_t));
  T* const delta = static_cast<T*>(deltas.data());
  auto* const slots = static_cast<std::int32_t*>(of_slots.data());
  for_each(
      "attention_delta", rows * shape.heads,
      AttentionDelta<U, T>{shape.head_size, shape.marks, out, mark_out, dout, dmark_out, delta});
  AttentionGradInputs<U, T> in{
      {shape, rows, q, q_stride, keys, values, marks, ranges}, lse, delta, dout, dmark_out};
  const SlotRows of_slot{slots, slots + shape.slots};
  const dim3 threads(kAttentionThreads);
  const std::size_t of_warp = sizeof(T) * static_cast<std::size_t>(kWarp + shape.head_size);
  if (rows > 0)
    launch({"attention_dq", blocks_for(rows * shape.heads, kAttentionWarps), threads,
            kAttentionWarps * of_warp},
           attention_dq_kernel<U, T>, in, dq);
  if (shape.slots <= 0) return;
  for_each("slot_rows", shape.slots, of_slot);
  if (rows > 0)
    launch({"slot_rows", blocks_for(rows, kAttentionWarps), threads}, slot_rows_kernel<KeyRange>,
           rows, ranges.ranges, of_slot);
  launch({"attention_dkv", blocks_for(shape.kv_heads * shape.slots, kAttentionWarps), threads,
          2 * kAttentionWarps * of_warp},
         attention_dkv_kernel<U, T>, in, of_slot, dkeys, dvalues);
}

#define GAZE_INSTANTIATE_STORE(U)                                                             \
  template void AttentionKernels::store_keys(const AttentionShape&, Index, const U*, Index,   \
                                             const std::int32_t*, U*);                        \
  template void AttentionKernels::store_values(const AttentionShape&, Index, const U*, Index, \
                                               const std::int32_t*, U*);
#define GAZE_INSTANTIATE_LOAD(T)                                                    \
  template void AttentionKernels::load_rows(const AttentionShape&, Index, const T*, \
                                            const std::int32_t*, T*, Index);
#define GAZE_INSTANTIATE(U, T)                                                                     \
  template void AttentionKernels::attention_forward(const AttentionShape&, Index, const U*, Index, \
                                                    const U*, const U*, const float*,              \
                                                    const RowKeys&, T*, T*, T*);                   \
  template void AttentionKernels::attention_backward(                                              \
      const AttentionShape&, Index, const U*, Index, const U*, const U*, const float*,             \
      const RowKeys&, const Index*, Index, const T*, const T*, const T*, const T*, const T*, T*,   \
      T*, T*);
GAZE_INSTANTIATE_STORE(float)
GAZE_INSTANTIATE_STORE(double)
GAZE_INSTANTIATE_STORE(bf16)
GAZE_INSTANTIATE_LOAD(float)
GAZE_INSTANTIATE_LOAD(double)
GAZE_INSTANTIATE(float, float)
GAZE_INSTANTIATE(double, double)
GAZE_INSTANTIATE(bf16, float)
#undef GAZE_INSTANTIATE
#undef GAZE_INSTANTIATE_LOAD
#undef GAZE_INSTANTIATE_STORE

}  // namespace gaze::cuda
