// SPDX-License-Identifier: MIT
// TokenLayout: the keys that each row of a flat batch [N, C] sees.
//
// Rows of many sequences follow one another, without padding. Every row has a position (for rotary
// embedding), the slot of its own key and value in a key-value store, and a KeyRange: a shared
// prefix, then its own keys. Supervised training, prefill, decoding and the policy update differ
// only in the layout:
//
//   TokenLayout l;
//   auto prompt = l.add_sequence(40);       // rows 0..39, causal
//   for (int g = 0; g < 8; ++g) l.add_continuation(prompt, 25);   // 8 completions share the prompt
//   l.end_group();                          // later rows share no keys with these
#pragma once
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#include "gaze/core/storage.hpp"
#include "gaze/kernels/attention_layout.hpp"
#include "gaze/kernels/contract.hpp"

namespace gaze {

/// Consecutive rows of one sequence and the slots of their keys.
struct Segment {
  std::int32_t row = 0, length = 0;          // rows [row, row + length)
  std::int32_t slot = 0;                     // slots [slot, slot + length)
  std::int32_t prefix_slot = 0, prefix = 0;  // first slot and length of the prefix they see
};

/// A layout's arrays in device memory.
struct LayoutArrays {
  const std::int32_t* slot = nullptr;
  RowKeys keys;
  const Index* groups = nullptr;
  Index seen = 0;  ///< pairs of a row and a key; 0 on the CPU, whose kernels count them
};

/// Which keys each row of a batch sees, and where its own key is stored.
struct TokenLayout {
  std::vector<std::int32_t> position;  // [N]
  std::vector<std::int32_t> slot;      // [N]
  std::vector<KeyRange> keys;          // [N]
  std::vector<Index> groups{0};        // where groups begin: rows of two groups share no keys
  Index slots = 0;                     // size of the store, a multiple of kKeyLanes

  Index room = 0;  // keys by which each row may grow while a device's copy is in use

  Index rows() const { return static_cast<Index>(position.size()); }  ///< N

  /// Groups with rows, the unfinished last one included.
  Index group_count() const {
    return static_cast<Index>(groups.size()) - (groups.back() == rows() ? 1 : 0);
  }

  /// `length` rows at positions 0.., each seeing itself and the rows before.
  Segment add_sequence(Index length) { return add(length, 0, 0, true); }

  /// `length` rows that continue `prefix` (which starts at position 0), seeing it and themselves.
  Segment add_continuation(const Segment& prefix, Index length) {
    GAZE_CHECK(prefix.prefix == 0, "TokenLayout", "a prefix cannot have a prefix");
    return add(length, prefix.slot, prefix.length, true);
  }

  /// `length` rows that all see each other: the patches of an image.
  Segment add_bidirectional(Index length) { return add(length, 0, 0, false); }

  /// Rows that are added later share no keys with those so far.
  void end_group() {
    if (groups.back() != rows()) groups.push_back(rows());
  }

  /// Reserves slots for `length` keys after a prefix of `prefix` positions and returns the first.
  /// It is congruent to the first position modulo 16, so that blocks of positions are whole lanes.
  Index reserve(Index length, Index prefix) {
    checked_int32("TokenLayout", "the length of a segment", length, kMostKeys);
    checked_int32("TokenLayout", "the last position", checked_sum("TokenLayout", prefix, length),
                  kMostKeys);
    const Index first = checked_sum("TokenLayout", slots, prefix % kKeyLanes);
    const Index end = checked_sum("TokenLayout", first, length + kKeyLanes - 1);
    checked_int32("TokenLayout", "the number of slots", end / kKeyLanes * kKeyLanes, kMostKeys);
    slots = end / kKeyLanes * kKeyLanes;
    return first;
  }

  /// The arrays on a device. On the CPU they are the vectors themselves, which its kernels check;
  /// for another device they are checked and copied on the first call, and again after rows were
  /// added or for a store of another size. Not thread-safe.
  template <class Device>
  LayoutArrays arrays(const AttentionShape& shape) const {
    if constexpr (std::is_same_v<Device, Cpu>)
      return {slot.data(), keys.data(), groups.data()};
    else
      return copied<Device>(shape);
  }

  /// Adds a row, the `step`-th after the prefix, to a sequence whose keys are in a cache.
  void add_step(Index prefix_slot, Index prefix, Index own_slot, Index step) {
    const auto in_32_bits = [](const char* what, Index value) {
      return checked_int32("TokenLayout", what, value, kMostKeys);
    };
    const std::int32_t prefix_begin = in_32_bits("the prefix's slot", prefix_slot);
    const std::int32_t before = in_32_bits("the length of the prefix", prefix);
    const std::int32_t own = in_32_bits("the first slot", own_slot);
    const std::int32_t seen = in_32_bits("the step", step) + 1;
    const std::int32_t at = in_32_bits("the position", prefix + step);
    const std::int32_t to = in_32_bits("the slot", own_slot + step);
    in_32_bits("the number of rows", rows() + 1);
    position.push_back(at);
    slot.push_back(to);
    keys.push_back({prefix_begin, before, own, seen});
  }

 private:
  template <class Device>
  struct Copy {
    Copy(const TokenLayout& l, Index slots, std::size_t size)
        : rows(l.slot.size()), groups(l.groups.size()), slots(slots), bytes(size) {}
    bool holds(const TokenLayout& l, Index wanted_slots) const {
      return rows == l.slot.size() && groups == l.groups.size() && slots == wanted_slots;
    }
    std::size_t rows, groups;
    Index slots;
    Storage<Device> bytes;
    std::shared_ptr<const void> plan;  // see RowKeys
    LayoutArrays arrays;
  };

  /// Groups, ranges and slots one after another: groups have the largest alignment.
  template <class Device>
  LayoutArrays copied(const AttentionShape& shape) const {
    const auto* last = static_cast<const Copy<Device>*>(device_copy_.get());
    if (last && last->holds(*this, shape.slots)) return last->arrays;
    check_attention("attention", shape, rows(), keys.data());
    for (const std::int32_t s : slot)
      GAZE_CHECK(s >= 0 && s < shape.slots, "attention", "slot ", s, " of ", shape.slots);
    const std::size_t of_groups = groups.size() * sizeof(Index);
    const std::size_t of_keys = keys.size() * sizeof(KeyRange);
    const std::size_t of_slots = slot.size() * sizeof(std::int32_t);
    std::vector<std::byte> all(of_groups + of_keys + of_slots);
    std::memcpy(all.data(), groups.data(), of_groups);
    if (of_keys) std::memcpy(all.data() + of_groups, keys.data(), of_keys);
    if (of_slots) std::memcpy(all.data() + of_groups + of_keys, slot.data(), of_slots);
    const auto copy = std::make_shared<Copy<Device>>(*this, shape.slots, all.size());
    auto* const first = static_cast<std::byte*>(copy->bytes.data());
    Allocator<Device>::copy_in(first, all.data(), all.size());
    if constexpr (requires { Kernels<Device>::plan_attention(rows(), keys.data(), room); })
      copy->plan = Kernels<Device>::plan_attention(rows(), keys.data(), room);
    copy->arrays = {reinterpret_cast<const std::int32_t*>(first + of_groups + of_keys),
                    {reinterpret_cast<const KeyRange*>(first + of_groups), copy->plan.get()},
                    reinterpret_cast<const Index*>(first)};
    for (const KeyRange& range : keys) copy->arrays.seen += key_count(range);
    device_copy_ = copy;
    return copy->arrays;
  }

  mutable std::shared_ptr<void> device_copy_;  // a Copy<Device>, of one device per program

  Segment add(Index length, std::int32_t prefix_slot, std::int32_t prefix, bool causal) {
    GAZE_CHECK(length > 0, "TokenLayout", "a segment needs at least one row, got ", length);
    checked_int32("TokenLayout", "the number of rows", checked_sum("TokenLayout", rows(), length),
                  kMostKeys);
    const auto first = static_cast<std::int32_t>(reserve(length, prefix));
    const Segment s{static_cast<std::int32_t>(rows()), static_cast<std::int32_t>(length), first,
                    prefix_slot, prefix};
    for (std::int32_t i = 0; i < s.length; ++i) {
      position.push_back(prefix + i);
      slot.push_back(first + i);
      keys.push_back({prefix_slot, prefix, first, causal ? i + 1 : s.length});
    }
    return s;
  }
};

}  // namespace gaze
