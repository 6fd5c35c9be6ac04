// SPDX-License-Identifier: MIT
// The layout of attention: flat query rows, and for each row at most two ranges of key slots.
//
// One layout serves causal training rows, prefill, decoding with a cache, a prompt shared by a
// group of completions and the ViT (one bidirectional range per image). Offsets into the key-value
// store and the checks on the host are shared by every device.
#pragma once
#include <cstdint>
#include <vector>

#include "gaze/core/checked.hpp"
#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

inline constexpr int kKeyLanes = 16;      ///< keys are stored transposed, 16 slots to a block
inline constexpr int kSoftmaxBlock = 64;  ///< softmax blocks: multiples of this key position

/// Upper limits: of rows, positions and slots, so that sums of two fit in 32 bits; and of heads,
/// elements of a head and marks, which kernels multiply by the size of a tile.
inline constexpr std::int32_t kMostKeys = 1 << 30, kMostHeads = 1 << 20;

/// The keys that one row sees: a shared prefix, then its own. Causal rows set own_len row by row.
/// prefix_begin % 16 == 0 and own_begin % 16 == prefix_len % 16 (each where its length is not 0),
/// so 16 positions from a multiple of 16 are whole lanes of one store block, but for the seam.
struct KeyRange {
  std::int32_t prefix_begin = 0, prefix_len = 0, own_begin = 0, own_len = 0;
};

/// Number of keys a row sees.
constexpr Index key_count(const KeyRange& range) { return Index{range.prefix_len} + range.own_len; }

/// The keys that `rows` rows see, added up.
inline Index seen_keys(Index rows, const KeyRange* ranges) {
  Index keys = 0;
  for (Index r = 0; r < rows; ++r) keys += key_count(ranges[r]);
  return keys;
}

/// Slot of the key at position p, 0 <= p < key_count(range).
constexpr Index key_slot(const KeyRange& range, Index p) {
  return p < range.prefix_len ? range.prefix_begin + p : range.own_begin + (p - range.prefix_len);
}

/// Position of the key in `slot`, or -1 where the row does not see it: the inverse of key_slot.
constexpr Index key_position(const KeyRange& range, Index slot) {
  const Index own = slot - range.own_begin, prefix = slot - range.prefix_begin;
  if (prefix >= 0 && prefix < range.prefix_len) return prefix;
  return own >= 0 && own < range.own_len ? range.prefix_len + own : -1;
}

/// The ranges of all rows in a device's memory, and the device's plan, made from them on the host
/// (Kernels<Device>::plan_attention), or null.
struct RowKeys {
  const KeyRange* ranges;
  const void* plan;

  constexpr RowKeys(const KeyRange* ranges = nullptr, const void* plan = nullptr)
      : ranges(ranges), plan(plan) {}
  constexpr operator const KeyRange*() const { return ranges; }
};

/// Whether two rows see the same prefix; the same slots apart from their number.
constexpr bool same_prefix(const KeyRange& a, const KeyRange& b) {
  return a.prefix_len == b.prefix_len && (a.prefix_len == 0 || a.prefix_begin == b.prefix_begin);
}
constexpr bool same_keys(const KeyRange& a, const KeyRange& b) {
  return same_prefix(a, b) && a.own_begin == b.own_begin;
}

/// Sizes of one attention. Head h reads key-value head h / (heads / kv_heads).
struct AttentionShape {
  Index heads = 0, kv_heads = 0, head_size = 0;
  Index marks = 0;  ///< columns of the marks, 0 where there are none
  float scale = 1;  ///< of the scores, usually 1 / sqrt(head_size)
  Index slots = 0;  ///< of the store, a multiple of 16
};

/// Elements of a key store [kv_heads][slots / 16][D][16], or of a value store.
constexpr Index store_size(const AttentionShape& shape) {
  return shape.kv_heads * shape.slots * shape.head_size;
}

/// Offset of element d of a key in [kv_heads][slots / 16][D][16].
constexpr Index key_offset(const AttentionShape& shape, Index kv_head, Index slot, Index d) {
  const Index block = kv_head * (shape.slots / kKeyLanes) + slot / kKeyLanes;
  return (block * shape.head_size + d) * kKeyLanes + slot % kKeyLanes;
}

/// Offset of a value (or of a gradient of a key or value) in [kv_heads][slots][D].
constexpr Index value_offset(const AttentionShape& shape, Index kv_head, Index slot) {
  return (kv_head * shape.slots + slot) * shape.head_size;
}

/// Error: sizes that do not agree or exceed the limits.
inline void check_attention_sizes(const char* where, const AttentionShape& s) {
  GAZE_CHECK(s.kv_heads > 0 && s.heads > 0 && s.heads % s.kv_heads == 0, where, s.heads,
             " heads do not share ", s.kv_heads, " key-value heads evenly");
  GAZE_CHECK(s.head_size > 0 && s.marks >= 0, where, "head size ", s.head_size, ", ", s.marks,
             " marks");
  checked_int32(where, "the number of heads", s.heads, kMostHeads);
  checked_int32(where, "the size of a head", s.head_size, kMostHeads);
  checked_int32(where, "the number of marks", s.marks, kMostHeads);
  GAZE_CHECK(s.slots >= 0 && s.slots % kKeyLanes == 0, where, s.slots,
             " slots: not a multiple of 16");
  checked_int32(where, "the number of slots", s.slots, kMostKeys);
}

/// Error: also a row that sees no key, or keys outside the store.
inline void check_attention(const char* where, const AttentionShape& s, Index rows,
                            const KeyRange* ranges) {
  check_attention_sizes(where, s);
  checked_int32(where, "the number of rows", rows, kMostKeys);
  for (Index r = 0; r < rows; ++r) {
    const KeyRange& k = ranges[r];
    GAZE_CHECK(k.prefix_len >= 0 && k.own_len >= 0 && key_count(k) > 0, where, "row ", r,
               " sees no key");
    const bool prefix_fits =
        k.prefix_len == 0 || (k.prefix_begin >= 0 && k.prefix_begin % 16 == 0 &&
                              k.prefix_begin <= s.slots - k.prefix_len);
    const bool own_fits =
        k.own_len == 0 || (k.own_begin >= 0 && k.own_begin <= s.slots - k.own_len &&
                           k.own_begin % 16 == k.prefix_len % 16);
    GAZE_CHECK(prefix_fits && own_fits, where, "row ", r, ": keys [", k.prefix_begin, " +",
               k.prefix_len, "], [", k.own_begin, " +", k.own_len, "] are misaligned or outside ",
               s.slots, " slots");
  }
}

/// Error: groups that do not cover the rows in order, or that share a slot (different threads sum
/// their gradients).
inline void check_groups(const char* where, Index rows, const KeyRange* ranges, Index slots,
                         const Index* group_begin, Index groups) {
  GAZE_CHECK(groups > 0 ? group_begin[0] == 0 : rows == 0, where, "row 0 is in no group");
  std::vector<Index> owner(static_cast<std::size_t>(slots), -1);
  for (Index g = 0; g < groups; ++g) {
    const Index begin = group_begin[g], end = g + 1 < groups ? group_begin[g + 1] : rows;
    GAZE_CHECK(begin <= end && end <= rows, where, "group ", g, " is rows ", begin, " to ", end,
               " of ", rows);
    for (Index r = begin; r < end; ++r) {
      const bool known = r > begin && same_keys(ranges[r - 1], ranges[r]);
      for (Index p = known ? key_count(ranges[r - 1]) : 0; p < key_count(ranges[r]); ++p) {
        Index& of = owner[static_cast<std::size_t>(key_slot(ranges[r], p))];
        GAZE_CHECK(of == -1 || of == g, where, "groups ", of, " and ", g, " share slot ",
                   key_slot(ranges[r], p));
        of = g;
      }
    }
  }
}

}  // namespace gaze
