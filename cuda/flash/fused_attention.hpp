// SPDX-License-Identifier: MIT
// Fused attention on tensor cores (kernels/attention.hpp), for float operands (three tf32 products
// per product) or bf16 ones; sums, statistics and results are float. Keys are stored as values are:
// [kv_heads][slots][D].
//
// The tables that assign work to blocks (attention_plan.hpp) are built on the host and copied once
// per layout and shape: all layers of a model use the same.
#pragma once
#include <deque>
#include <memory>
#include <tuple>
#include <vector>

#include "cuda/flash/attention_plan.hpp"
#include "cuda/host/runtime.hpp"
#include "gaze/kernels/attention.hpp"

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

/// Whether gradients are needed, and whether the keys of a row may be split over blocks. Splitting
/// pays where few rows see many keys; the last bits of a row then depend on the other rows.
struct AttentionUse {
  bool gradients = false, split = false;
};

/// The attention of one layout. `ranges` is host memory, read only by the constructor; by the time
/// of forward(), own ranges may have grown by up to `room` keys.
template <class T>
class FusedAttention {
 public:
  /// Whether there is a kernel: for head sizes up to 128 that are a multiple of 16 bytes, for at
  /// most 16 marks if gradients are needed, on a GPU of compute capability 8.0 or newer.
  static bool possible(const AttentionShape& shape, AttentionUse use);

  /// Whether it was built for this shape and supports this use.
  bool fits(const AttentionShape& shape, AttentionUse use) const;

  FusedAttention(const AttentionShape& shape, Index rows, const KeyRange* ranges, AttentionUse use,
                 std::int32_t room = 0);

  /// Shape, number of rows and key ranges are those of the constructor, with the ranges in device
  /// memory. q, keys and values and every row of q are aligned to 16 bytes.
  void forward(const args::AttentionForward<T>& a) const;
  /// The same. Error: constructed without gradients.
  void backward(const args::AttentionBackward<T>& a) const;

 private:
  fused::AttentionArguments<T> arguments(const ForwardTables& tables,
                                         const args::AttentionInputs<T>& in, bool marked) const;

  AttentionShape shape_;
  Index rows_;
  AttentionUse use_;
  int warps_ = 4;                    ///< of a forward block; 1 if tiles have at most 16 queries
  ForwardTables forward_, queries_;  ///< for forward; for dq, never split
  Table<KeyTile> key_tiles_;
  Table<std::int32_t> chunks_;
};

/// The attention of one layout for each shape it is used with, built on first use. Not thread-safe.
class AttentionPlans {
 public:
  AttentionPlans(Index rows, const KeyRange* ranges, std::int32_t room)
      : ranges_(ranges, ranges + rows), room_(room) {}

  /// Null if there is no kernel.
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
