// SPDX-License-Identifier: MIT
// Fused attention over flat rows (after Dao et al. 2022): the scores are never stored.
//
// To observe the attention, mark columns are summed beside the values:
// mark_out[n,h,m] = sum over keys p of P[n,h,p] marks[slot(p), m], for instance the share of
// attention on the image. It is differentiable like any other output.
//
// Operands may be rounded to bf16 (AttentionSizes::bf16): then queries, keys and values are stored
// and multiplied in bf16, and softmax weights, marks and gradients are rounded where they are
// multiplied; sums, softmax statistics, results and their gradients stay float32. The derivative of
// rounding is the identity.
#pragma once
#include <memory>
#include <type_traits>
#include <utility>

#include "gaze/core/arithmetic.hpp"
#include "gaze/core/bf16.hpp"
#include "gaze/kernels/contract.hpp"
#include "gaze/ops/token_layout.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

/// Sizes of one attention: H query heads share `kv_heads` key-value heads of size D. `bf16`
/// rounds operands of float32; a device without kernels for bf16 keeps them in float32.
struct AttentionSizes {
  Index heads, kv_heads, head_size;
  double scale;  // usually 1 / sqrt(D)
  bool bf16 = false;

  /// Of the rows of queries, keys and values.
  Index columns() const { return (heads + 2 * kv_heads) * head_size; }
  /// The same sizes, rounding or not.
  AttentionSizes with_bf16(bool on) const { return {heads, kv_heads, head_size, scale, on}; }
};

namespace detail {

template <class T, class Device>
bool rounds(const AttentionSizes& sizes) {
  return sizes.bf16 && std::is_same_v<T, float> && Bf16AttentionKernels<Kernels<Device>>;
}

/// x as operands of type U: itself or rounded.
template <class U, class T, class Device>
Tensor<U, Device> operands(const Tensor<T, Device>& x) {
  if constexpr (std::is_same_v<U, T>) {
    return x;
  } else {
    Tensor<U, Device> y(x.shape());
    Kernels<Device>::cast(x.numel(), x.data(), y.data());
    return y;
  }
}

}  // namespace detail

/// Keys (transposed in blocks of kKeyLanes slots on the processor) and values of one layer.
template <class U, class Device>
struct KeysAndValues {
  Tensor<U, Device> keys, values;

  KeysAndValues() = default;
  /// Uninitialised memory for `slots` keys, a multiple of kKeyLanes.
  KeysAndValues(const AttentionSizes& a, Index slots)
      : keys({a.kv_heads, slots / kKeyLanes, a.head_size, kKeyLanes}),
        values({a.kv_heads, slots, a.head_size}) {}
};

/// Keys and values in T or, where operands are rounded, in bf16 at half the size.
template <class T, class Device>
class KeyValueStore {
 public:
  /// Uninitialised memory for `slots` keys and values of one layer.
  KeyValueStore(const AttentionSizes& sizes, Index slots) : slots_(slots) {
    if (detail::rounds<T, Device>(sizes))
      rounded_ = {sizes, slots};
    else
      whole_ = {sizes, slots};
  }
  Index slots() const { return slots_; }  ///< keys that it holds at most

  /// The operands of type U. Error: a store made for the other type.
  template <class U>
  const KeysAndValues<U, Device>& of() const {
    const auto& all = [this]() -> const KeysAndValues<U, Device>& {
      if constexpr (std::is_same_v<U, T>)
        return whole_;
      else
        return rounded_;
    }();
    GAZE_CHECK(all.keys.defined(), "attention", "the cache holds ",
               whole_.keys.defined() ? "whole" : "rounded", " keys, the operands are ",
               whole_.keys.defined() ? "rounded" : "whole");
    return all;
  }

 private:
  Index slots_;
  KeysAndValues<T, Device> whole_;
  KeysAndValues<gaze::bf16, Device> rounded_;
};

/// Result of attention(): out [N, H*D]; marks [N, H*M], undefined without marks.
template <class T, class Device>
struct AttentionResult {
  Tensor<T, Device> out, marks;
};

namespace detail {

template <class T, class Device>
void check_attention_inputs(const Tensor<T, Device>& qkv, const AttentionSizes& sizes,
                            const TokenLayout& layout, const Tensor<float, Device>& marks,
                            Index slots) {
  check_attention_sizes("attention", {sizes.heads, sizes.kv_heads, sizes.head_size,
                                      marks.defined() ? marks.size(1) : 0, 1, slots});
  GAZE_CHECK(qkv.rank() == 2 && qkv.size(1) == sizes.columns(), "attention", "qkv ", qkv.shape(),
             " for ", sizes.heads, "+2*", sizes.kv_heads, " heads of ", sizes.head_size);
  GAZE_CHECK(layout.rows() == qkv.size(0), "attention", "layout of ", layout.rows(),
             " rows for qkv ", qkv.shape());
  GAZE_CHECK(!marks.defined() || marks.size(0) == slots, "attention", "marks ", marks.shape(),
             " for ", slots, " slots");
}

/// attention() with operands of type U.
template <class U, class T, class Device>
AttentionResult<T, Device> attention_of(const Tensor<T, Device>& qkv, const AttentionSizes& sizes,
                                        std::shared_ptr<const TokenLayout> layout,
                                        const Tensor<float, Device>& marks,
                                        const KeyValueStore<T, Device>& store) {
  using K = Kernels<Device>;
  const Index n = qkv.size(0), d = sizes.head_size, columns = sizes.columns();
  const Index m = marks.defined() ? marks.size(1) : 0, slots = store.slots();
  const Index q_size = sizes.heads * d, kv_size = sizes.kv_heads * d;
  const AttentionShape shape{sizes.heads, sizes.kv_heads, d, m, static_cast<float>(sizes.scale),
                             slots};
  const Tensor<U, Device> input = operands<U>(qkv);
  KeysAndValues<U, Device> own = store.template of<U>();
  const U* rows = input.data();
  const LayoutArrays arrays = layout->template arrays<Device>(shape);
  args::StoreRows<U> stored{.shape = shape,
                            .n = n,
                            .x = rows + q_size,
                            .stride = columns,
                            .slot = arrays.slot,
                            .store = own.keys.data()};
  K::store_keys(stored);
  stored.x += kv_size;
  stored.store = own.values.data();
  K::store_values(stored);

  AttentionResult<T, Device> y{Tensor<T, Device>({n, q_size}), {}};
  if (m) y.marks = Tensor<T, Device>({n, sizes.heads * m});
  Tensor<T, Device> lse({n, sizes.heads});
  const auto inputs = [shape, n, columns, cached = own](const U* q, const float* marks,
                                                        const RowKeys& seen) {
    return args::AttentionInputs<U>{.shape = shape,
                                    .n = n,
                                    .q = q,
                                    .q_stride = columns,
                                    .keys = cached.keys.data(),
                                    .values = cached.values.data(),
                                    .marks = marks,
                                    .seen = seen};
  };
  K::attention_forward(
      args::AttentionForward<U>{.in = inputs(rows, m ? marks.data() : nullptr, arrays.keys),
                                .out = y.out.data(),
                                .lse = lse.data(),
                                .mark_out = m ? y.marks.data() : nullptr});
  count_arithmetic(4 * arrays.seen * q_size);
  if (!recorded(qkv)) return y;

  const Saved<U, Device> saved("attention", input);
  const Saved<T, Device> out("attention", y.out), seen("attention", y.marks);
  const Saved<float, Device> mark_columns("attention", marks);
  const auto derivative = [=, to = qkv.node()](const auto& dout_or_none, const auto& dmarks) {
    Tensor<T, Device> dout = dout_or_none;
    if (!dout.defined()) {
      dout = Tensor<T, Device>({n, q_size});
      K::fill(dout.numel(), T(0), dout.data());
    }
    Tensor<T, Device> dq({n, q_size}), dqkv({n, columns});
    const LayoutArrays in = layout->template arrays<Device>(shape);
    Tensor<T, Device> dkeys({sizes.kv_heads, slots, d}), dvalues({sizes.kv_heads, slots, d});
    K::attention_backward(
        args::AttentionBackward<U>{.in = inputs(saved.data(), mark_columns.data(), in.keys),
                                   .group_begin = in.groups,
                                   .groups = layout->group_count(),
                                   .out = out.data(),
                                   .lse = lse.data(),
                                   .mark_out = seen.data(),
                                   .dout = dout.data(),
                                   .dmark_out = dmarks.defined() ? dmarks.data() : nullptr,
                                   .dq = dq.data(),
                                   .dkeys = dkeys.data(),
                                   .dvalues = dvalues.data()});
    count_arithmetic(10 * in.seen * q_size);
    K::copy_rows(n, q_size, dq.data(), q_size, dqkv.data(), columns);
    args::LoadRows<T> loaded{.shape = shape,
                             .n = n,
                             .store = dkeys.data(),
                             .slot = in.slot,
                             .y = dqkv.data() + q_size,
                             .stride = columns};
    K::load_rows(loaded);
    loaded.store = dvalues.data();
    loaded.y += kv_size;
    K::load_rows(loaded);
    to->take(std::move(dqkv));
  };
  if (m)
    record2("attention", y.out, y.marks, derivative, qkv);
  else
    record(
        "attention", y.out,
        [derivative](const auto& dout) { derivative(dout, Tensor<T, Device>()); }, qkv);
  return y;
}

}  // namespace detail

/// y = softmax(scale q k^T) v; with p the softmax dv = p^T dy, ds = p (dp - sum p dp) for dp = dy
/// v^T, dq = scale ds k, dk = scale ds^T q.
///
/// For each row of qkv [N, (H + 2 kv) D] over the keys that it sees by the layout. `marks` [slots,
/// M] or undefined. With `cache`, the rows' keys and values are stored there and keys of earlier
/// calls can be seen; without, the batch is its own store.
template <class T, class Device>
AttentionResult<T, Device> attention(const Tensor<T, Device>& input, const AttentionSizes& sizes,
                                     std::shared_ptr<const TokenLayout> layout,
                                     const Tensor<float, Device>& mark_input = {},
                                     KeyValueStore<T, Device>* cache = nullptr) {
  detail::check_defined("attention", input);
  GAZE_CHECK(layout, "attention", "no layout");
  const auto qkv = contiguous(input);
  const auto marks = detail::contiguous_or_none(mark_input);
  const Index slots = cache ? cache->slots() : layout->slots;
  detail::check_attention_inputs(qkv, sizes, *layout, marks, slots);
  GAZE_CHECK(!cache || !recorded(qkv), "attention", "a cache cannot be used with gradients");
  const auto store = cache ? *cache : KeyValueStore<T, Device>(sizes, slots);
  if constexpr (std::is_same_v<T, float> && Bf16AttentionKernels<Kernels<Device>>)
    if (sizes.bf16) return detail::attention_of<bf16>(qkv, sizes, layout, marks, store);
  return detail::attention_of<T>(qkv, sizes, layout, marks, store);
}

}  // namespace gaze
