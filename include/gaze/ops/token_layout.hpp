// SPDX-License-Identifier: MIT
// TokenLayout: which keys each row of a flat batch [N, C] sees.
//
// Rows of many sequences lie one after another, without padding. Every row has a position (for
// rotary embedding), a slot of a key-value store where its own key and value go, and a KeyRange:
// a shared prefix, then its own keys. Supervised training, prefill, decoding and the policy update
// differ in nothing but the layout:
//
//   TokenLayout l;
//   auto prompt = l.add_sequence(40);       // rows 0..39, causal
//   for (int g = 0; g < 8; ++g) l.add_continuation(prompt, 25);   // 8 completions share the prompt
//   l.end_group();                          // what follows shares no keys with these rows
#pragma once
#include <cstdint>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#include "gaze/kernels/attention_layout.hpp"

namespace gaze {

/// Consecutive rows of one sequence and the slots of their keys.
struct Segment {
  std::int32_t row = 0, length = 0;        // rows [row, row + length)
  std::int32_t slot = 0;                   // slots [slot, slot + length)
  std::int32_t prefix_slot = 0, prefix = 0;  // what they see before themselves
};

struct TokenLayout {
  std::vector<std::int32_t> position;  // [N]
  std::vector<std::int32_t> slot;      // [N]
  std::vector<KeyRange> keys;          // [N]
  std::vector<Index> groups{0};        // where groups begin: rows of two groups share no keys
  Index slots = 0;                     // size of the store, a multiple of kKeyLanes

  Index rows() const { return static_cast<Index>(position.size()); }

  Index group_count() const {
    return static_cast<Index>(groups.size()) - (groups.back() == rows() ? 1 : 0);
  }

  /// `length` rows at positions 0.., each seeing itself and what came before.
  Segment add_sequence(Index length) { return add(length, 0, 0, true); }

  /// `length` rows that continue `prefix` (which starts at position 0), seeing it and themselves.
  Segment add_continuation(const Segment& prefix, Index length) {
    GAZE_CHECK(prefix.prefix == 0, "TokenLayout", "a prefix cannot have a prefix");
    return add(length, prefix.slot, prefix.length, true);
  }

  /// `length` rows that all see each other: the patches of an image.
  Segment add_bidirectional(Index length) { return add(length, 0, 0, false); }

  void end_group() {
    if (groups.back() != rows()) groups.push_back(rows());
  }

  /// Room in the store for `length` keys after a prefix of `prefix` positions: keys of one block of
  /// positions must lie in whole lanes, so the first slot is congruent to the first position.
  Index reserve(Index length, Index prefix) {
    const Index first = slots + prefix % kKeyLanes;
    slots = (first + length + kKeyLanes - 1) / kKeyLanes * kKeyLanes;
    return first;
  }

  /// One more row of a sequence whose keys lie in a cache: it is the `step`-th after the prefix.
  void add_step(Index prefix_slot, Index prefix, Index own_slot, Index step) {
    position.push_back(static_cast<std::int32_t>(prefix + step));
    slot.push_back(static_cast<std::int32_t>(own_slot + step));
    keys.push_back({static_cast<std::int32_t>(prefix_slot), static_cast<std::int32_t>(prefix),
                    static_cast<std::int32_t>(own_slot), static_cast<std::int32_t>(step + 1)});
  }

 private:
  Segment add(Index length, std::int32_t prefix_slot, std::int32_t prefix, bool causal) {
    GAZE_CHECK(length > 0, "TokenLayout", "a segment needs at least one row, got ", length);
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
