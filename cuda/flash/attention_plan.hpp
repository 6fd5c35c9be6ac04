// SPDX-License-Identifier: MIT
// Divides an attention among the blocks of the GPU: tables built on the host from the rows' key
// ranges, by plain functions.
//
// Forward and dq: a block has a tile of consecutive rows, with all heads of one key-value head as
// further queries, and iterates over a list of segments: runs of consecutive slots. Rows that share
// a prefix share its segment, so a group reads it once per tile; then follow each row's own keys. A
// row's blocks of keys begin where its prefix and its own keys begin, so its result does not depend
// on the other rows. Few long rows (decoding) can be split: the segments of a tile are divided
// among several blocks, whose partial results are combined in ascending order.
//
// dk and dv: a block has some slots and iterates over the chunks of rows that see any of them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "gaze/kernels/attention_layout.hpp"

namespace gaze::cuda {

/// Keys in slots [slot, slot + length): a piece of a prefix (own_begin is -1) or of the own keys of
/// the rows with this own_begin. `first` keys of the same run precede the piece.
struct KeySegment {
  std::int32_t slot, length, first, own_begin;
};

/// Rows [row, row + rows) and the segments [segment, segment_end). `partial` is -1 if these are all
/// segments that the rows see, otherwise the index of the partial result.
struct QueryTile {
  std::int32_t row, rows, segment, segment_end, partial;
};

/// Rows whose result combines the partial results [partial, partial_end), in this order.
struct CombinedTile {
  std::int32_t row, rows, partial, partial_end;
};

struct ForwardPlan {
  std::vector<QueryTile> tiles;  ///< most keys first
  std::vector<KeySegment> segments;
  std::vector<CombinedTile> combined;  ///< empty if no tile is split
  std::int32_t partials = 0;
};

/// Slots from `slot` up to the next tile's, and the chunks [chunk, chunk_end) of rows that see any
/// of them.
struct KeyTile {
  std::int32_t slot, chunk, chunk_end;
};

struct BackwardPlan {
  std::vector<KeyTile> tiles;        ///< most chunks first; together they cover the store
  std::vector<std::int32_t> chunks;  ///< c is rows [c R, (c + 1) R)
};

/// The queries of a tile: heads of the group, then rows.
struct QueryShape {
  int heads, rows;  ///< heads of one row in a tile; maximum number of rows
  int parts;        ///< tiles for the heads of one row: ceil(group / heads)
};

constexpr QueryShape query_shape(Index heads, Index kv_heads, int queries) {
  const int group = static_cast<int>(heads / kv_heads), wide = std::min(group, queries);
  return {wide, queries / wide, (group + wide - 1) / wide};
}

/// Number of keys of a segment that a row sees; they are the first ones.
constexpr int visible_keys(const KeyRange& range, const KeySegment& segment) {
  const int seen = segment.own_begin < 0                  ? range.prefix_len
                   : segment.own_begin == range.own_begin ? range.own_len
                                                          : 0;
  const int left = seen - segment.first;
  return left < 0 ? 0 : left < segment.length ? left : segment.length;
}

/// Whether a row sees a slot.
constexpr bool sees_slot(const KeyRange& range, int slot) {
  return (slot >= range.prefix_begin && slot - range.prefix_begin < range.prefix_len) ||
         (slot >= range.own_begin && slot - range.own_begin < range.own_len);
}

namespace detail {

/// Whether two neighbouring rows may share a tile. Without a prefix, rows of two sequences have no
/// loads in common.
constexpr bool share_tile(const KeyRange& a, const KeyRange& b) {
  return same_keys(a, b) || (same_prefix(a, b) && a.prefix_len > 0);
}

/// The runs of slots that rows [begin, end) see: the prefix, then each own run at its longest, plus
/// `room` keys.
inline std::vector<KeySegment> segments_of(const KeyRange* ranges, Index begin, Index end,
                                           std::int32_t room) {
  std::vector<KeySegment> all;
  if (ranges[begin].prefix_len > 0)
    all.push_back({ranges[begin].prefix_begin, ranges[begin].prefix_len, 0, -1});
  for (Index r = begin; r < end; ++r) {
    const KeyRange& range = ranges[r];
    if (range.own_len + room == 0) continue;
    auto at = std::find_if(all.begin(), all.end(),
                           [&](const auto& s) { return s.own_begin == range.own_begin; });
    if (at == all.end()) at = all.insert(at, {range.own_begin, 0, 0, range.own_begin});
    at->length = std::max(at->length, range.own_len + room);
  }
  return all;
}

/// Cuts segments into pieces of at most max_keys keys.
inline std::vector<KeySegment> cut(const std::vector<KeySegment>& segments, std::int32_t max_keys) {
  std::vector<KeySegment> pieces;
  for (const KeySegment& s : segments)
    for (std::int32_t at = 0; at < s.length; at += max_keys)
      pieces.push_back({s.slot + at, std::min(max_keys, s.length - at), s.first + at, s.own_begin});
  return pieces;
}

inline Index keys_of(const ForwardPlan& plan, const QueryTile& tile) {
  Index keys = 0;
  for (std::int32_t s = tile.segment; s < tile.segment_end; ++s)
    keys += plan.segments[static_cast<std::size_t>(s)].length;
  return keys;
}

/// Number of entries of a table. Error: more than kMostKeys.
template <class Entry>
std::int32_t table_size(const char* what, const std::vector<Entry>& table) {
  return checked_int32("attention", what, static_cast<Index>(table.size()), kMostKeys);
}

/// Adds the tile of rows [begin, end), cut into tiles of at most `split` keys if that is not 0.
inline void add_tile(ForwardPlan& plan, const KeyRange* ranges, Index begin, Index end,
                     std::int32_t split, std::int32_t room) {
  const auto row = checked_int32("attention", "the number of rows", begin, kMostKeys);
  const auto rows = static_cast<std::int32_t>(end - begin);  // of one tile
  auto pieces = segments_of(ranges, begin, end, room);
  if (split > 0) pieces = cut(pieces, split);
  const std::size_t first_tile = plan.tiles.size();
  std::int32_t keys = split;  // as if a tile had just been completed
  for (const KeySegment& piece : pieces) {
    const std::int32_t at = table_size("the segments of its plan", plan.segments);
    if (plan.tiles.size() == first_tile || (split > 0 && keys + piece.length > split)) {
      plan.tiles.push_back({row, rows, at, at, -1});
      keys = 0;
    }
    plan.segments.push_back(piece);
    plan.tiles.back().segment_end = at + 1;
    keys += piece.length;
  }
  if (plan.tiles.size() - first_tile < 2) return;
  plan.combined.push_back({row, rows, plan.partials, plan.partials});
  for (std::size_t i = first_tile; i < plan.tiles.size(); ++i)
    plan.tiles[i].partial = plan.partials++;
  plan.combined.back().partial_end = plan.partials;
}

}  // namespace detail

/// Tiles of at most `tile_rows` rows. `split` is 0 (no tile is split, and a row's result depends
/// only on its own range), or the most keys of a tile, a multiple of the keys of a block. `room` is
/// the number of keys by which own ranges may grow before the plan is used.
inline ForwardPlan forward_plan(const KeyRange* ranges, Index rows, Index tile_rows,
                                std::int32_t split = 0, std::int32_t room = 0) {
  ForwardPlan plan;
  for (Index row = 0, end; row < rows; row = end) {
    const Index limit = std::min(rows, row + tile_rows);
    for (end = row + 1; end < limit && detail::share_tile(ranges[end - 1], ranges[end]);) ++end;
    detail::add_tile(plan, ranges, row, end, split, room);
  }
  std::stable_sort(plan.tiles.begin(), plan.tiles.end(), [&](const auto& a, const auto& b) {
    return detail::keys_of(plan, a) > detail::keys_of(plan, b);
  });
  return plan;
}

/// The length of pieces for `split`, or 0 if there are at least as many tiles as blocks that the
/// GPU runs at once. It gives about `blocks` pieces, each of at least four whole blocks of
/// block_keys.
constexpr std::int32_t split_length(Index keys_of_all_tiles, Index tiles, Index blocks,
                                    std::int32_t block_keys) {
  if (tiles >= blocks || tiles == 0) return 0;
  const Index piece = (keys_of_all_tiles + blocks - 1) / blocks;
  const Index whole = (piece + block_keys - 1) / block_keys * block_keys;
  return static_cast<std::int32_t>(std::max<Index>(whole, 4 * Index{block_keys}));
}

/// Key tiles of `tile_slots` that cover all slots, each with the chunks of `chunk_rows` rows that
/// see any of its slots, in ascending order.
inline BackwardPlan backward_plan(const KeyRange* ranges, Index rows, Index slots,
                                  std::int32_t tile_slots, Index chunk_rows) {
  checked_int32("attention", "the number of slots", slots, kMostKeys);
  std::vector<std::vector<std::int32_t>> seen(
      static_cast<std::size_t>((slots + tile_slots - 1) / tile_slots));
  const auto mark = [&](std::int32_t begin, std::int32_t length, std::int32_t chunk) {
    for (std::int32_t t = begin / tile_slots; length > 0 && t <= (begin + length - 1) / tile_slots;
         ++t) {
      auto& list = seen[static_cast<std::size_t>(t)];
      if (list.empty() || list.back() != chunk) list.push_back(chunk);
    }
  };
  for (Index r = 0; r < rows; ++r) {
    const auto chunk = checked_int32("attention", "the number of rows", r / chunk_rows, kMostKeys);
    mark(ranges[r].prefix_begin, ranges[r].prefix_len, chunk);
    mark(ranges[r].own_begin, ranges[r].own_len, chunk);
  }
  BackwardPlan plan;
  for (std::size_t t = 0; t < seen.size(); ++t) {
    const std::int32_t at = detail::table_size("the chunks of its plan", plan.chunks);
    plan.chunks.insert(plan.chunks.end(), seen[t].begin(), seen[t].end());
    plan.tiles.push_back({static_cast<std::int32_t>(t) * tile_slots, at,
                          detail::table_size("the chunks of its plan", plan.chunks)});
  }
  std::stable_sort(plan.tiles.begin(), plan.tiles.end(), [](const auto& a, const auto& b) {
    return a.chunk_end - a.chunk > b.chunk_end - b.chunk;
  });
  return plan;
}

}  // namespace gaze::cuda
