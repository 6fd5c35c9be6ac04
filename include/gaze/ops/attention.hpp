// SPDX-License-Identifier: MIT
// Fused attention over flat rows (after Dao et al. 2022): the scores are never stored.
//
// What one wants to observe of the attention is carried as mark columns beside the values:
// mark_out[n,h,m] = sum over keys p of P[n,h,p] marks[slot(p), m], for instance the share of
// attention on the image. It is differentiable like any other output.
#pragma once
#include <memory>
#include <utility>

#include "gaze/core/arithmetic.hpp"
#include "gaze/ops/rows.hpp"
#include "gaze/ops/token_layout.hpp"

namespace gaze {

/// Sizes of one attention: H query heads share `kv_heads` key-value heads of size D.
struct AttentionSizes {
  Index heads, kv_heads, head_size;
  double scale;  // usually 1 / sqrt(D)

  Index columns() const { return (heads + 2 * kv_heads) * head_size; }
};

/// Keys (transposed in blocks of kKeyLanes slots) and values of one layer.
template <class T, class Device>
struct KeyValueStore {
  Tensor<T, Device> keys, values;

  KeyValueStore(const AttentionSizes& a, Index slots)
      : keys({a.kv_heads, slots / kKeyLanes, a.head_size, kKeyLanes}),
        values({a.kv_heads, slots, a.head_size}) {}
  Index slots() const { return values.size(1); }
};

/// What attention() returns: out [N, H*D]; marks [N, H*M], undefined without marks.
template <class T, class Device>
struct AttentionResult {
  Tensor<T, Device> out, marks;
};

/// softmax(scale q k^T) v for each row of qkv [N, (H + 2 kv) D] over the keys that the layout
/// shows it. `marks` [slots, M] or undefined. With `store` (a cache) the rows' keys and values are
/// put there and the keys seen may come from earlier calls; without, the batch is its own store.
template <class T, class Device>
AttentionResult<T, Device> attention(const Tensor<T, Device>& input, const AttentionSizes& sizes,
                                     std::shared_ptr<const TokenLayout> layout,
                                     const Tensor<float, Device>& mark_input = {},
                                     KeyValueStore<T, Device>* cache = nullptr) {
  using K = Kernels<Device>;
  using Store = KeyValueStore<T, Device>;
  const auto qkv = contiguous(input);
  const auto marks = contiguous(mark_input);
  const Index n = qkv.size(0), d = sizes.head_size, columns = sizes.columns();
  const Index m = marks.defined() ? marks.size(1) : 0;
  const Index q_size = sizes.heads * d, kv_size = sizes.kv_heads * d;
  GAZE_CHECK(qkv.rank() == 2 && qkv.size(1) == columns, "attention", "qkv ", qkv.shape(), " for ",
             sizes.heads, "+2*", sizes.kv_heads, " heads of ", d);
  GAZE_CHECK(sizes.kv_heads > 0 && sizes.heads % sizes.kv_heads == 0, "attention", sizes.heads,
             " heads do not share ", sizes.kv_heads, " key-value heads");
  GAZE_CHECK(layout->rows() == n, "attention", "layout of ", layout->rows(), " rows for qkv ",
             qkv.shape());
  GAZE_CHECK(!cache || !recorded(qkv), "attention", "a cache is for use without gradients");
  const Index slots = cache ? cache->slots() : layout->slots;
  GAZE_CHECK(!m || marks.size(0) == slots, "attention", "marks ", marks.shape(), " for ", slots,
             " slots");
  const AttentionShape shape{sizes.heads, sizes.kv_heads, d, m, static_cast<float>(sizes.scale),
                             slots};
  auto own = cache ? nullptr : std::make_shared<Store>(sizes, slots);
  Store& store = cache ? *cache : *own;
  const T* rows = qkv.data();
  const LayoutArrays arrays = layout->template arrays<Device>(shape);
  K::store_keys(shape, n, rows + q_size, columns, arrays.slot, store.keys.data());
  K::store_values(shape, n, rows + q_size + kv_size, columns, arrays.slot, store.values.data());

  AttentionResult<T, Device> y{Tensor<T, Device>({n, q_size}), {}};
  if (m) y.marks = Tensor<T, Device>({n, sizes.heads * m});
  Tensor<T, Device> lse({n, sizes.heads});
  const float* mark_values = m ? marks.data() : nullptr;
  T* mark_out = m ? y.marks.data() : nullptr;
  K::attention_forward(shape, n, rows, columns, static_cast<const T*>(store.keys.data()),
                       static_cast<const T*>(store.values.data()), mark_values, arrays.keys,
                       y.out.data(), lse.data(), mark_out);
  count_arithmetic(4 * arrays.seen * q_size);
  if (!recorded(qkv)) return y;

  const Saved<T, Device> saved("attention", qkv), out("attention", y.out),
      seen("attention", y.marks);
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
    K::attention_backward(shape, n, saved.data(), columns, static_cast<const T*>(own->keys.data()),
                          static_cast<const T*>(own->values.data()), mark_columns.data(), in.keys,
                          in.groups, layout->group_count(), out.data(),
                          static_cast<const T*>(lse.data()), seen.data(),
                          static_cast<const T*>(dout.data()),
                          dmarks.defined() ? static_cast<const T*>(dmarks.data()) : nullptr,
                          dq.data(), dkeys.data(), dvalues.data());
    count_arithmetic(10 * in.seen * q_size);
    T* to_rows = dqkv.data();
    K::copy_rows(n, q_size, static_cast<const T*>(dq.data()), q_size, to_rows, columns);
    K::load_rows(shape, n, static_cast<const T*>(dkeys.data()), in.slot, to_rows + q_size, columns);
    K::load_rows(shape, n, static_cast<const T*>(dvalues.data()), in.slot,
                 to_rows + q_size + kv_size, columns);
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

}  // namespace gaze
