// SPDX-License-Identifier: MIT
// Fused attention on tensor cores, of float operands (three tf32 products for one) or bf16 ones;
// sums, statistics and results are float. What it means stands in gaze/cpu/attention.hpp. Keys lie
// as values do: [kv_heads][slots][D].
//
// The tables by which it is dealt to blocks (attention_plan.hpp) are made on the host and copied
// once for a layout and a shape: all layers of a model use the same.
#pragma once
#include <deque>
#include <memory>
#include <tuple>
#include <vector>

#include "cuda/flash/attention_plan.hpp"
#include "cuda/host/runtime.hpp"
#include "gaze/core/bf16.hpp"

namespace gaze::cuda {

namespace fused {
template <class T>
struct AttentionArguments;
}

/// A host table on the device.
template <class Entry>
class Table {
 public:
  Table() = default;
  Table(const Entry* entries, std::size_t count) : count_(count) {
    if (count == 0) return;
    storage_ = std::make_shared<Storage<Cuda>>(count * sizeof(Entry));
    copy_in(storage_->data(), entries, count * sizeof(Entry));
  }
  explicit Table(const std::vector<Entry>& entries) : Table(entries.data(), entries.size()) {}

  const Entry* data() const {
    return storage_ ? static_cast<const Entry*>(storage_->data()) : nullptr;
  }
  unsigned size() const { return static_cast<unsigned>(count_); }

 private:
  std::size_t count_ = 0;
  std::shared_ptr<Storage<Cuda>> storage_;
};

/// A ForwardPlan on the device.
struct ForwardTables {
  Table<QueryTile> tiles;
  Table<KeySegment> segments;
  Table<CombinedTile> combined;
  std::int32_t partials = 0;

  ForwardTables() = default;
  explicit ForwardTables(const ForwardPlan& plan)
      : tiles(plan.tiles),
        segments(plan.segments),
        combined(plan.combined),
        partials(plan.partials) {}
};

/// What a layout is for. Splitting pays where few rows see many keys; the last bits of a row then
/// depend on what it is computed with.
struct AttentionUse {
  bool gradients = false, split = false;
};

/// The attention of one layout. `ranges` is host memory, only looked at here; own ranges may have
/// grown by up to `room` keys when it is used.
template <class T>
class FusedAttention {
 public:
  /// Is there a kernel? For head sizes up to 128 whose rows are whole 16 bytes, for at most 16
  /// marks where there are gradients, on a GPU of compute capability 8.0 or newer.
  static bool possible(const AttentionShape& shape, AttentionUse use);

  /// Is it the attention of this shape, for this use?
  bool fits(const AttentionShape& shape, AttentionUse use) const;

  FusedAttention(const AttentionShape& shape, Index rows, const KeyRange* ranges, AttentionUse use,
                 std::int32_t room = 0);

  /// out [rows,H,D], lse [rows,H], mark_out [rows,H,M] or null. q, keys and values begin at
  /// multiples of 16 bytes, and so does every row of q. `ranges` is on the device.
  void forward(const T* q, Index q_stride, const T* keys, const T* values, const float* marks,
               const KeyRange* ranges, float* out, float* lse, float* mark_out) const;

  /// Writes dq [rows,H,D], dkeys and dvalues [kv_heads][slots][D]; dmark_out may be null. Only
  /// where gradients were asked for.
  void backward(const T* q, Index q_stride, const T* keys, const T* values, const float* marks,
                const KeyRange* ranges, const float* out, const float* lse, const float* mark_out,
                const float* dout, const float* dmark_out, float* dq, float* dkeys,
                float* dvalues) const;

 private:
  fused::AttentionArguments<T> arguments(const ForwardTables& tables, const T* q, Index q_stride,
                                         const T* keys, const T* values, const float* marks,
                                         const KeyRange* ranges, bool marked) const;

  AttentionShape shape_;
  Index rows_;
  AttentionUse use_;
  int warps_ = 4;                    ///< of a forward block; 1 where tiles have at most 16 queries
  ForwardTables forward_, queries_;  ///< for forward; for dq, never split
  Table<KeyTile> key_tiles_;
  Table<std::int32_t> chunks_;
};

/// The attention of one layout in each shape that it is used with, made when first asked for. One
/// thread at a time may ask.
class AttentionPlans {
 public:
  AttentionPlans(Index rows, const KeyRange* ranges, std::int32_t room)
      : ranges_(ranges, ranges + rows), room_(room) {}

  /// Null where there is no kernel.
  template <class T>
  const FusedAttention<T>* find(const AttentionShape& shape, AttentionUse use) const {
    auto& made = std::get<std::deque<FusedAttention<T>>>(made_);
    for (const auto& attention : made)
      if (attention.fits(shape, use)) return &attention;
    if (!FusedAttention<T>::possible(shape, use)) return nullptr;
    return &made.emplace_back(shape, static_cast<Index>(ranges_.size()), ranges_.data(), use,
                              room_);
  }

 private:
  std::vector<KeyRange> ranges_;
  std::int32_t room_;
  mutable std::tuple<std::deque<FusedAttention<float>>, std::deque<FusedAttention<bf16>>> made_;
};

}  // namespace gaze::cuda
