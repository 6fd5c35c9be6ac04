// SPDX-License-Identifier: MIT
// Launches the attention kernels: fused ones on tensor cores where there is a plan and they support
// the shape, otherwise the plain ones.
#include "cuda/attention.cuh"

#include "cuda/flash/fused_attention.hpp"
#include "cuda/kernels.hpp"

namespace gaze::cuda {

namespace {

/// The fused kernels for these inputs, or null where they cannot be used.
template <class U>
const FusedAttention<U>* fused_kernels(const args::AttentionInputs<U>& in, AttentionUse use) {
  const auto whole =
      reinterpret_cast<std::uintptr_t>(in.q) | static_cast<std::uintptr_t>(in.q_stride) * sizeof(U);
  if (!in.seen.plan || !kernel_choice.fast || whole % 16 != 0) return nullptr;
  return static_cast<const AttentionPlans*>(in.seen.plan)->find<U>(in.shape, use);
}

}  // namespace

std::shared_ptr<const void> plan_attention(Index rows, const KeyRange* ranges, Index room) {
  return std::make_shared<const AttentionPlans>(
      rows, ranges, checked_int32("attention", "the room for further keys", room, kMostKeys - 1));
}

template <class T>
void store_keys(const args::StoreRows<T>& a) {
  for_each("store_keys", a.n * a.shape.kv_heads * a.shape.head_size,
           StoreElement<T>{a.shape, a.stride, a.x, a.slot, a.store});
}
template <class T>
void store_values(const args::StoreRows<T>& a) {
  for_each("store_values", a.n * a.shape.kv_heads * a.shape.head_size,
           StoreElement<T>{a.shape, a.stride, a.x, a.slot, a.store});
}
template <class T>
void load_rows(const args::LoadRows<T>& a) {
  for_each("load_rows", a.n * a.shape.kv_heads * a.shape.head_size,
           LoadElement<T>{a.shape, a.stride, a.store, a.slot, a.y});
}

template <class U>
void attention_forward(const args::AttentionForward<U>& a) {
  using T = GradOf<U>;
  const AttentionShape& shape = a.in.shape;
  if (a.in.n <= 0) return;
  if constexpr (!std::is_same_v<T, double>)
    if (const auto* fused =
            fused_kernels(a.in, {false, kernel_choice.split && !kernel_choice.invariant}))
      return fused->forward(a);
  const Index marks = a.mark_out ? shape.marks : 0;
  launch({"attention_forward", blocks_for(a.in.n * shape.heads, kAttentionWarps),
          dim3(kAttentionThreads), attention_forward_shared<T>(shape, marks)},
         attention_forward_kernel<U, T>, AttentionOperands<U>{a.in}, marks, a.out, a.lse,
         a.mark_out);
}

/// Without a plan: delta, then dq by rows and dk, dv by slots. Groups are not needed here.
template <class U>
void attention_backward(const args::AttentionBackward<U>& a) {
  using T = GradOf<U>;
  const AttentionShape& shape = a.in.shape;
  if constexpr (!std::is_same_v<T, double>)
    if (const auto* fused = fused_kernels(a.in, {true, false})) return fused->backward(a);
  const Index rows = a.in.n;
  const Storage<Cuda> deltas(static_cast<std::size_t>(rows * shape.heads) * sizeof(T));
  const Storage<Cuda> row_ranges(static_cast<std::size_t>(2 * shape.slots) * sizeof(std::int32_t));
  T* const delta = static_cast<T*>(deltas.data());
  auto* const first = static_cast<std::int32_t*>(row_ranges.data());
  for_each("attention_delta", rows * shape.heads,
           AttentionDelta<U, T>{shape.head_size, shape.marks, a.out, a.mark_out, a.dout,
                                a.dmark_out, delta});
  const AttentionGradOperands<U> in{{a.in}, a.lse, delta, a.dout, a.dmark_out};
  const SlotRows slot_rows{first, first + shape.slots};
  const dim3 threads(kAttentionThreads);
  const std::size_t bytes_of_warp = sizeof(T) * static_cast<std::size_t>(kLanes + shape.head_size);
  if (rows > 0)
    launch({"attention_dq", blocks_for(rows * shape.heads, kAttentionWarps), threads,
            kAttentionWarps * bytes_of_warp},
           attention_dq_kernel<U, T>, in, a.dq);
  if (shape.slots <= 0) return;
  for_each("slot_rows", shape.slots, slot_rows);
  if (rows > 0)
    launch({"slot_rows", blocks_for(rows, kAttentionWarps), threads}, slot_rows_kernel<KeyRange>,
           rows, a.in.seen.ranges, slot_rows);
  launch({"attention_dkv", blocks_for(shape.kv_heads * shape.slots, kAttentionWarps), threads,
          2 * kAttentionWarps * bytes_of_warp},
         attention_dkv_kernel<U, T>, in, slot_rows, a.dkeys, a.dvalues);
}

GAZE_ATTENTION_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_ATTENTION_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_ATTENTION_KERNELS(GAZE_INSTANTIATE_KERNEL, bf16)
GAZE_LOAD_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_LOAD_KERNELS(GAZE_INSTANTIATE_KERNEL, double)

}  // namespace gaze::cuda
