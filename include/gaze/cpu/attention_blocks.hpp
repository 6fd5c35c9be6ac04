// SPDX-License-Identifier: MIT
// The pieces of attention: passes of rows that see the same slots, blocks of 64 keys and their
// place in the store, tiles of queries.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/cpu/simd/sets.hpp"
#include "gaze/kernels/attention.hpp"

namespace gaze::cpu::detail {

constexpr int kQueryTile = 48;   // query rows (row, head) that share the loads of a key block
constexpr Index kRowsAhead = 4;  // prefetch distance in rows

inline Index padded(Index n) { return (n + 15) / 16 * 16; }

/// Runs body(i) for every i < n on the next free thread; small work stays on this one.
template <class Body>
void for_each_task(Index n, Index multiply_adds, Body&& body) {
  std::atomic<Index> next{0};
  const Index workers = multiply_adds < (Index{1} << 20) ? 1 : std::min<Index>(threads(), n);
  parallel_for(workers, 1, [&](Index, Index) {
    for (Index i = next++; i < n; i = next++) body(i);
  });
}

/// Whether the first 16 of n slots are one whole block of the key store.
inline bool whole_block(const std::int32_t* slot, Index n) {
  if (n < kKeyLanes || slot[0] % kKeyLanes != 0) return false;
  for (int i = 1; i < kKeyLanes; ++i)
    if (slot[i] != slot[0] + i) return false;
  return true;
}

/// Cuts rows [begin, end) into passes: body(first row, end row, first block, end block) with rows
/// that see the same slots in those blocks. Rows that share only their prefix share the passes over
/// its whole blocks, then have their own; each row's blocks come in ascending order.
template <class Body>
void for_each_pass(const KeyRange* ranges, Index begin, Index end, Body&& body) {
  const auto run_end = [&](Index from, Index limit, auto same) {
    Index to = from + 1;
    while (to < limit && same(ranges[from], ranges[to])) ++to;
    return to;
  };
  const auto blocks = [&](Index from, Index to) {
    Index keys = 0;
    for (Index r = from; r < to; ++r) keys = std::max(keys, key_count(ranges[r]));
    return (keys + kSoftmaxBlock - 1) / kSoftmaxBlock;
  };
  for (Index from = begin, to; from < end; from = to) {
    to = run_end(from, end, same_prefix);
    const bool one = run_end(from, to, same_keys) == to;
    const Index shared = one ? 0 : ranges[from].prefix_len / kSoftmaxBlock;
    if (shared > 0) body(from, to, Index{0}, shared);
    for (Index sub = from, sub_end; sub < to; sub = sub_end) {
      sub_end = run_end(sub, to, same_keys);
      body(sub, sub_end, shared, blocks(sub, sub_end));
    }
  }
}

/// Keys [begin, end) of a block, in slots from `slot` on.
struct KeyPart {
  int begin, end;
  Index slot;
};

/// The places of the keys and values of one block of 64 positions; `count` are seen by some row.
struct KeyBlock {
  int count;
  KeyPart parts[2];                              ///< of the prefix, of the own keys; or empty
  const float* keys[kSoftmaxBlock / kKeyLanes];  ///< store blocks [d][16]

  Index slot(int j) const {
    const KeyPart& part = parts[j < parts[0].end ? 0 : 1];
    return part.slot + (j - part.begin);
  }
};

/// `seam` is a buffer for the one store block with lanes from both prefix and own keys.
inline KeyBlock key_block(const AttentionShape& shape, const KeyRange& range, Index kv_head,
                          const float* keys, Index position, int count, float* seam) {
  KeyBlock block{};
  block.count = count;
  const int split = int(std::clamp<Index>(range.prefix_len - position, 0, count));
  block.parts[0] = {0, split, range.prefix_begin + position};
  block.parts[1] = {split, count, range.own_begin + (position + split - range.prefix_len)};
  for (int first = 0; first < kSoftmaxBlock; first += kKeyLanes) {
    const float*& at = block.keys[first / kKeyLanes];
    if (first >= count) {
      at = block.keys[0];  // readable, but seen by no row
      continue;
    }
    at = keys + key_offset(shape, kv_head, block.slot(first), 0);
    if (split <= first || split >= std::min(first + kKeyLanes, count)) continue;
    const Index own = block.parts[1].slot - (split - first);
    GAZE_SIMD(attention_seam, int(shape.head_size), split - first, at,
              keys + key_offset(shape, kv_head, own, 0), seam);
    at = seam;
  }
  return block;
}

/// to[m][64] = marks of the block's keys, 0 after them.
inline void load_marks(const AttentionShape& shape, const KeyBlock& block, const float* marks,
                       Index columns, float* to) {
  std::fill_n(to, columns * kSoftmaxBlock, 0.0f);
  for (const KeyPart& part : block.parts)
    for (Index m = 0; m < columns; ++m)
      for (int j = part.begin; j < part.end; ++j)
        to[m * kSoftmaxBlock + j] = marks[(part.slot + (j - part.begin)) * shape.marks + m];
}

/// count[i] = keys of the block at `position` that query first + i sees; returns the maximum. Query
/// i belongs to row i / group.
inline int visible_keys(const KeyRange* ranges, Index group, Index first, Index n, Index position,
                        int* count) {
  int max = 0;
  Index row = first / group, head = first % group;
  for (Index i = 0; i < n; ++i) {
    const Index left = key_count(ranges[row]) - position;
    count[i] = int(std::clamp<Index>(left, 0, kSoftmaxBlock));
    max = std::max(max, count[i]);
    if (++head == group) ++row, head = 0;
  }
  return max;
}

/// Prefetches n elements: the rows of one head lie too far apart for the hardware to predict.
template <class T>
void prefetch(const T* p, Index n) {
  for (Index i = 0; i < n; i += Index(64 / sizeof(T))) __builtin_prefetch(p + i);
}

/// This thread's buffer of floats, divided into pieces aligned to 64 bytes.
class Scratch {
 public:
  explicit Scratch(Index floats) {
    static thread_local std::vector<float> room;
    const auto need = static_cast<std::size_t>(floats + 16);
    if (room.size() < need) room.resize(need);
    const auto at = reinterpret_cast<std::uintptr_t>(room.data());
    next_ = room.data() + (64 - at % 64) % 64 / sizeof(float);
  }
  float* take(Index floats) {
    float* const piece = next_;
    next_ += padded(floats);
    return piece;
  }

 private:
  float* next_;
};

/// Rows [row, row + rows) and heads [head, head + heads) of one kv head: at most kQueryTile pairs.
struct QueryTile {
  Index row, rows, head, heads, kv_head;
};

inline std::vector<QueryTile> query_tiles(const AttentionShape& shape, Index rows,
                                          const KeyRange* ranges) {
  const Index group = shape.heads / shape.kv_heads, heads = std::min<Index>(group, kQueryTile);
  const auto together = [](const KeyRange& a, const KeyRange& b) {
    return same_prefix(a, b) && (a.own_begin == b.own_begin || a.prefix_len >= kSoftmaxBlock);
  };
  std::vector<QueryTile> tiles;
  for (Index begin = 0, end; begin < rows; begin = end) {  // rows together, head by head
    for (end = begin + 1; end < rows && together(ranges[begin], ranges[end]);) ++end;
    for (Index kv = 0; kv < shape.kv_heads; ++kv)
      for (Index row = begin; row < end; row += kQueryTile / heads)
        for (Index h = 0; h < group; h += heads)
          tiles.push_back({row, std::min(end - row, kQueryTile / heads), kv * group + h,
                           std::min(heads, group - h), kv});
  }
  return tiles;
}

/// The query of one row and head.
inline const float* query_of(const args::AttentionInputs<float>& in, Index row, Index head) {
  return in.q + row * in.q_stride + head * in.shape.head_size;
}

/// to[0, D) = scale q of one row and head.
inline void load_query(const args::AttentionInputs<float>& in, Index row, Index head, float* to) {
  GAZE_SIMD(scale, in.shape.head_size, in.shape.scale, query_of(in, row, head), to);
}

}  // namespace gaze::cpu::detail
