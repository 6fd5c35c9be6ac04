// SPDX-License-Identifier: MIT
// Fused attention over a key-value store: forward, backward, and moving rows in and out.
//
// The formulas are in kernels/attention.hpp. Scores are never stored as a matrix: an online softmax
// processes blocks of 64 positions (Milakov and Gimelshein 2018; Dao et al. 2022). Blocks are
// aligned to absolute position, so a row's bits do not depend on the other rows, on how many of its
// keys are a prefix, or on the places of the slots.
#pragma once
#include <cmath>
#include <limits>
#include <type_traits>

#include "gaze/cpu/attention_blocks.hpp"

namespace gaze::cpu {

namespace detail {

/// One tile of queries through all its keys.
class ForwardTile {
 public:
  ForwardTile(const args::AttentionForward<float>& a, const QueryTile& tile)
      : in_(a.in),
        s_(a.in.shape),
        tile_(tile),
        n_(tile.rows * tile.heads),
        wide_(padded(s_.head_size)),
        marks_(a.mark_out ? s_.marks : 0) {
    Scratch scratch((2 * n_ + kKeyLanes) * wide_ + n_ * (kSoftmaxBlock + 17 + 16 * marks_) +
                    kSoftmaxBlock * marks_ + 8 * 16);
    query_ = scratch.take(n_ * wide_);
    sums_ = scratch.take(n_ * wide_);
    seam_ = scratch.take(kKeyLanes * wide_);
    scores_ = scratch.take(n_ * kSoftmaxBlock);
    row_max_ = scratch.take(n_);
    total_ = scratch.take(n_ * 16);
    mark_ = scratch.take(kSoftmaxBlock * marks_);
    mark_sums_ = scratch.take(n_ * marks_ * 16);
  }

  void run(float* out, float* lse, float* mark_out) {
    for (Index i = 0; i < n_; ++i) prefetch(query_of(in_, row_of(i), head_of(i)), s_.head_size);
    for (Index i = 0; i < n_; ++i) {
      load_query(in_, row_of(i), head_of(i), query_ + i * wide_);
      prefetch(out + row_head(i) * s_.head_size, s_.head_size);
    }
    std::fill_n(sums_, n_ * wide_, 0.0f);
    std::fill_n(row_max_, n_, -std::numeric_limits<float>::infinity());
    std::fill_n(total_, n_ * 16, 0.0f);
    std::fill_n(mark_sums_, n_ * marks_ * 16, 0.0f);
    for_each_pass(in_.seen.ranges, tile_.row, tile_.row + tile_.rows,
                  [this](Index row, Index row_end, Index block, Index block_end) {
                    for (; block < block_end; ++block) add_block(row, row_end, block);
                  });
    for (Index i = 0; i < n_; ++i) {
      const Index at = row_head(i);
      GAZE_SIMD(attention_finish, int(s_.head_size), int(marks_), sums_ + i * wide_, row_max_[i],
                total_ + i * 16, mark_sums_ + i * marks_ * 16, out + at * s_.head_size, lse + at,
                marks_ ? mark_out + at * marks_ : nullptr);
    }
  }

 private:
  Index row_of(Index i) const { return tile_.row + i / tile_.heads; }
  Index head_of(Index i) const { return tile_.head + i % tile_.heads; }
  Index row_head(Index i) const { return row_of(i) * s_.heads + head_of(i); }

  /// The keys of one block, for rows that see the same slots in it.
  void add_block(Index row, Index row_end, Index index) {
    const Index first = (row - tile_.row) * tile_.heads, position = index * kSoftmaxBlock;
    const int n = int((row_end - row) * tile_.heads), D = int(s_.head_size), wide = int(wide_);
    int count[kQueryTile];
    const int seen = visible_keys(in_.seen.ranges + row, tile_.heads, 0, n, position, count);
    const KeyBlock block =
        key_block(s_, in_.seen.ranges[row], tile_.kv_head, in_.keys, position, seen, seam_);
    load_marks(s_, block, in_.marks, marks_, mark_);
    float* const sums = sums_ + first * wide_;
    GAZE_SIMD(attention_scores, n, D, query_ + first * wide_, wide, block.keys, count, scores_);
    GAZE_SIMD(attention_softmax, n, int(marks_), count, mark_, scores_, row_max_ + first,
              total_ + first * 16, mark_sums_ + first * marks_ * 16, sums, wide);
    for (const KeyPart& part : block.parts)
      if (part.begin < part.end)
        GAZE_SIMD(attention_mix, n, D, scores_, count, part.begin, part.end,
                  in_.values + value_offset(s_, tile_.kv_head, part.slot), s_.head_size, sums,
                  wide);
  }

  const args::AttentionInputs<float>& in_;
  const AttentionShape& s_;
  const QueryTile& tile_;
  const Index n_, wide_, marks_;
  float *query_, *sums_, *seam_, *scores_, *row_max_, *total_, *mark_, *mark_sums_;
};

/// The gradients of the rows [begin, end) through one kv head. For each block of
/// 64 keys, its values are packed transposed and its keys as rows, once for all tiles of queries.
class BackwardGroup {
 public:
  BackwardGroup(const args::AttentionBackward<float>& a, Index kv_head, Index begin, Index end)
      : a_(a),
        in_(a.in),
        s_(a.in.shape),
        kv_(kv_head),
        begin_(begin),
        end_(end),
        group_(s_.heads / s_.kv_heads),
        n_((end - begin) * group_),
        wide_(padded(s_.head_size)),
        marks_(a.dmark_out ? s_.marks : 0) {
    Scratch scratch((3 * n_ + 3 * kSoftmaxBlock) * wide_ + n_ * (2 + marks_) +
                    (2 * kQueryTile + marks_) * kSoftmaxBlock + 13 * 16);
    query_ = scratch.take(n_ * wide_);
    dout_ = scratch.take(n_ * wide_);
    dquery_ = scratch.take(n_ * wide_);
    key_rows_ = scratch.take(kSoftmaxBlock * wide_);
    value_blocks_ = scratch.take(kSoftmaxBlock * wide_);
    value_rows_ = scratch.take(kKeyLanes * wide_);
    seam_ = scratch.take(kKeyLanes * wide_);
    lse_ = scratch.take(n_);
    delta_ = scratch.take(n_);
    dmark_ = scratch.take(n_ * marks_);
    p_ = scratch.take(kQueryTile * kSoftmaxBlock);
    ds_ = scratch.take(kQueryTile * kSoftmaxBlock);
    mark_ = scratch.take(kSoftmaxBlock * marks_);
  }

  void run() {
    pack_queries();
    for_each_pass(in_.seen.ranges, begin_, end_,
                  [&](Index row, Index row_end, Index block, Index block_end) {
                    for (; block < block_end; ++block)
                      add_block(row, row_end, block * kSoftmaxBlock);
                  });
    for (Index i = 0; i < n_; ++i) {
      prefetch(a_.dq + row_head(std::min(i + kRowsAhead, n_ - 1)) * s_.head_size, s_.head_size);
      GAZE_SIMD(scale, s_.head_size, s_.scale, dquery_ + i * wide_,
                a_.dq + row_head(i) * s_.head_size);
    }
  }

 private:
  Index row_head(Index i) const {
    return (begin_ + i / group_) * s_.heads + kv_ * group_ + i % group_;
  }

  void pack_queries() {
    const Index D = s_.head_size;
    for (Index i = 0; i < n_; ++i) {
      const Index at = row_head(i), soon = row_head(std::min(i + kRowsAhead, n_ - 1));
      prefetch(query_of(in_, soon / s_.heads, soon % s_.heads), D);
      prefetch(a_.dout + soon * D, D);
      prefetch(a_.out + soon * D, D);
      load_query(in_, at / s_.heads, at % s_.heads, query_ + i * wide_);
      std::copy_n(a_.dout + at * D, D, dout_ + i * wide_);
      lse_[i] = a_.lse[at];
      delta_[i] = GAZE_SIMD(attention_dot, int(D), a_.dout + at * D, a_.out + at * D);
      for (Index m = 0; m < marks_; ++m) {
        dmark_[i * marks_ + m] = a_.dmark_out[at * marks_ + m];
        delta_[i] += a_.dmark_out[at * marks_ + m] * a_.mark_out[at * marks_ + m];
      }
    }
    std::fill_n(dquery_, n_ * wide_, 0.0f);
  }

  /// Values of the block's keys [first, first + lanes) as rows [D]: in the store, or a copy where
  /// the seam is between them.
  const float* values_of(const KeyBlock& block, int first, int lanes) {
    const float* const rows = in_.values + value_offset(s_, kv_, block.slot(first));
    if (block.slot(first + lanes - 1) == block.slot(first) + lanes - 1) return rows;
    for (int j = 0; j < lanes; ++j)
      std::copy_n(in_.values + value_offset(s_, kv_, block.slot(first + j)), s_.head_size,
                  value_rows_ + j * s_.head_size);
    return value_rows_;
  }

  /// Packs the block's keys as rows and its values as transposed store blocks, if they are seen.
  void pack_block(const KeyBlock& block, const float* value_blocks[]) {
    const int D = int(s_.head_size), wide = int(wide_);
    for (int first = 0; first < kSoftmaxBlock; first += kKeyLanes) {
      float* const to = value_blocks_ + first * wide_;
      value_blocks[first / kKeyLanes] = first < block.count ? to : value_blocks_;
      const int lanes = std::min(kKeyLanes, block.count - first);
      if (lanes <= 0) continue;
      GAZE_SIMD(attention_transpose, lanes, D, values_of(block, first, lanes), D, to, kKeyLanes);
      GAZE_SIMD(attention_transpose, D, lanes, block.keys[first / kKeyLanes], kKeyLanes,
                key_rows_ + first * wide_, wide);
    }
  }

  void add_block(Index row, Index row_end, Index position) {
    Index longest = 0;
    for (Index r = row; r < row_end; ++r)
      longest = std::max(longest, key_count(in_.seen.ranges[r]));
    const int seen = int(std::min<Index>(longest - position, kSoftmaxBlock));
    const KeyBlock block =
        key_block(s_, in_.seen.ranges[row], kv_, in_.keys, position, seen, seam_);
    const float* value_blocks[kSoftmaxBlock / kKeyLanes];
    pack_block(block, value_blocks);
    load_marks(s_, block, in_.marks, marks_, mark_);
    const Index last = (row_end - begin_) * group_;
    for (Index i = (row - begin_) * group_; i < last; i += kQueryTile)
      add_tile(i, int(std::min<Index>(kQueryTile, last - i)), position, block, value_blocks);
  }

  /// Queries [i, i + n) and the keys of one block: five products of n x 64 scores.
  void add_tile(Index i, int n, Index position, const KeyBlock& block,
                const float* const* value_blocks) {
    const int D = int(s_.head_size), wide = int(wide_);
    const float *const query = query_ + i * wide_, *const dout = dout_ + i * wide_;
    int count[kQueryTile];
    const int seen = visible_keys(in_.seen.ranges + begin_, group_, i, n, position, count);
    if (seen == 0) return;
    GAZE_SIMD(attention_scores, n, D, query, wide, block.keys, count, p_);
    GAZE_SIMD(attention_scores, n, D, dout, wide, value_blocks, count, ds_);
    GAZE_SIMD(attention_grad_scores, n, int(marks_), count, lse_ + i, delta_ + i, mark_,
              dmark_ + i * marks_, p_, ds_);
    GAZE_SIMD(attention_mix, n, D, ds_, count, 0, seen, key_rows_, wide_, dquery_ + i * wide_,
              wide);
    for (const KeyPart& part : block.parts) {
      const int end = std::min(part.end, seen);
      if (part.begin >= end) continue;
      const Index at = value_offset(s_, kv_, part.slot);
      GAZE_SIMD(attention_mix_transposed, n, D, p_, count, part.begin, end, dout, wide,
                a_.dvalues + at);
      GAZE_SIMD(attention_mix_transposed, n, D, ds_, count, part.begin, end, query, wide,
                a_.dkeys + at);
    }
  }

  const args::AttentionBackward<float>& a_;
  const args::AttentionInputs<float>& in_;
  const AttentionShape& s_;
  const Index kv_, begin_, end_, group_, n_, wide_, marks_;
  float *query_, *dout_, *dquery_, *key_rows_, *value_blocks_, *value_rows_, *seam_, *lse_, *delta_,
      *dmark_, *p_, *ds_, *mark_;
};

}  // namespace detail

namespace reference {

/// The formula for one row and head, any T: the oracle for the tests.
template <class T>
void attention_row(const args::AttentionInputs<T>& in, Index row, Index head, T* out, T* lse,
                   T* mark_out) {
  const AttentionShape& s = in.shape;
  const Index kv = head / (s.heads / s.kv_heads), D = s.head_size, M = mark_out ? s.marks : 0;
  const KeyRange& range = in.seen.ranges[row];
  const T* const q = in.q + row * in.q_stride + head * D;
  std::vector<T> room(static_cast<std::size_t>(key_count(range)));
  T* const p = room.data();
  T row_max = -std::numeric_limits<T>::infinity(), total = 0;
  for (Index j = 0; j < key_count(range); ++j) {
    T score = 0;
    for (Index d = 0; d < D; ++d) score += q[d] * in.keys[key_offset(s, kv, key_slot(range, j), d)];
    p[j] = T(s.scale) * score;
    row_max = std::max(row_max, p[j]);
  }
  for (T& x : room) total += x = std::exp(x - row_max);
  std::fill_n(out, D, T(0));
  std::fill_n(mark_out, M, T(0));
  for (Index j = 0; j < key_count(range); ++j) {
    const Index slot = key_slot(range, j);
    const T* const v = in.values + value_offset(s, kv, slot);
    for (Index d = 0; d < D; ++d) out[d] += p[j] / total * v[d];
    for (Index m = 0; m < M; ++m) mark_out[m] += p[j] / total * in.marks[slot * M + m];
  }
  *lse = row_max + std::log(total);
}

/// The gradients of rows [begin, end) through one kv head, row by row and key by key.
template <class T>
void attention_grad(const args::AttentionBackward<T>& a, Index kv, Index begin, Index end) {
  const args::AttentionInputs<T>& in = a.in;
  const AttentionShape& s = in.shape;
  const Index D = s.head_size, group = s.heads / s.kv_heads, M = a.dmark_out ? s.marks : 0;
  for (Index i = begin * group; i < end * group; ++i) {
    const Index row = i / group, head = kv * group + i % group, at = row * s.heads + head;
    const T *const q = in.q + row * in.q_stride + head * D, *const dout = a.dout + at * D;
    T delta = 0;
    for (Index d = 0; d < D; ++d) delta += dout[d] * a.out[at * D + d], a.dq[at * D + d] = 0;
    for (Index m = 0; m < M; ++m) delta += a.dmark_out[at * M + m] * a.mark_out[at * M + m];
    for (Index j = 0; j < key_count(in.seen.ranges[row]); ++j) {
      const Index slot = key_slot(in.seen.ranges[row], j), to = value_offset(s, kv, slot);
      T score = 0, dp = 0;
      for (Index d = 0; d < D; ++d) {
        score += q[d] * in.keys[key_offset(s, kv, slot, d)];
        dp += dout[d] * in.values[to + d];
      }
      for (Index m = 0; m < M; ++m) dp += a.dmark_out[at * M + m] * in.marks[slot * s.marks + m];
      const T p = std::exp(T(s.scale) * score - a.lse[at]), ds = p * (dp - delta) * T(s.scale);
      for (Index d = 0; d < D; ++d) {
        a.dq[at * D + d] += ds * in.keys[key_offset(s, kv, slot, d)];
        a.dkeys[to + d] += ds * q[d];
        a.dvalues[to + d] += p * dout[d];
      }
    }
  }
}

}  // namespace reference

template <class T>
void store_keys(const args::StoreRows<T>& a) {
  const Index D = a.shape.head_size;
  parallel_for(a.n, 1024, [&](Index begin, Index end) {
    for (Index row = begin, count; row < end; row += count) {
      count =
          std::is_same_v<T, float> && detail::whole_block(a.slot + row, end - row) ? kKeyLanes : 1;
      for (Index kv = 0; kv < a.shape.kv_heads; ++kv) {
        T* const to = a.store + key_offset(a.shape, kv, a.slot[row], 0);
        const T* const from = a.x + row * a.stride + kv * D;
        if constexpr (std::is_same_v<T, float>)
          if (count == kKeyLanes) {
            GAZE_SIMD(attention_transpose, kKeyLanes, int(D), from, a.stride, to, kKeyLanes);
            continue;
          }
        for (Index d = 0; d < D; ++d) to[d * kKeyLanes] = from[d];
      }
    }
  });
}

template <class T>
void store_values(const args::StoreRows<T>& a) {
  const Index D = a.shape.head_size;
  parallel_for(a.n, 1024, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row)
      for (Index kv = 0; kv < a.shape.kv_heads; ++kv) {
        const Index soon = std::min(row + detail::kRowsAhead, end - 1);
        detail::prefetch(a.x + soon * a.stride + kv * D, D);
        detail::prefetch(a.store + value_offset(a.shape, kv, a.slot[soon]), D);
        std::copy_n(a.x + row * a.stride + kv * D, D,
                    a.store + value_offset(a.shape, kv, a.slot[row]));
      }
  });
}

template <class T>
void load_rows(const args::LoadRows<T>& a) {
  const Index D = a.shape.head_size;
  parallel_for(a.n, 1024, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row)
      for (Index kv = 0; kv < a.shape.kv_heads; ++kv) {
        const Index soon = std::min(row + detail::kRowsAhead, end - 1);
        detail::prefetch(a.store + value_offset(a.shape, kv, a.slot[soon]), D);
        detail::prefetch(a.y + soon * a.stride + kv * D, D);
        std::copy_n(a.store + value_offset(a.shape, kv, a.slot[row]), D,
                    a.y + row * a.stride + kv * D);
      }
  });
}

template <class T>
void attention_forward(const args::AttentionForward<T>& a) {
  const AttentionShape& s = a.in.shape;
  check_attention("attention_forward", s, a.in.n, a.in.seen.ranges);
  const Index H = s.heads, M = a.mark_out ? s.marks : 0;
  GAZE_CHECK(M == 0 || a.in.marks, "attention_forward", "mark_out without marks");
  const Index work = 2 * seen_keys(a.in.n, a.in.seen.ranges) * H * s.head_size;
  if constexpr (std::is_same_v<T, float>) {
    const auto tiles = detail::query_tiles(s, a.in.n, a.in.seen.ranges);
    detail::for_each_task(Index(tiles.size()), work, [&](Index i) {
      detail::ForwardTile(a, tiles[static_cast<std::size_t>(i)]).run(a.out, a.lse, a.mark_out);
    });
  } else {
    detail::for_each_task(a.in.n * H, work, [&](Index i) {
      reference::attention_row(a.in, i / H, i % H, a.out + i * s.head_size, a.lse + i,
                               M ? a.mark_out + i * M : nullptr);
    });
  }
}

template <class T>
void attention_backward(const args::AttentionBackward<T>& a) {
  const AttentionShape& s = a.in.shape;
  const Index rows = a.in.n;
  check_attention("attention_backward", s, rows, a.in.seen.ranges);
  check_groups("attention_backward", rows, a.in.seen.ranges, s.slots, a.group_begin, a.groups);
  GAZE_CHECK(!a.dmark_out || s.marks == 0 || (a.in.marks && a.mark_out), "attention_backward",
             "dmark_out without marks and mark_out");
  const Index piece = s.slots * s.head_size;
  parallel_for(s.kv_heads, (Index{1} << 18) / (piece + 1) + 1, [&](Index begin, Index end) {
    std::fill(a.dkeys + begin * piece, a.dkeys + end * piece, T(0));
    std::fill(a.dvalues + begin * piece, a.dvalues + end * piece, T(0));
  });
  const Index work = 5 * seen_keys(rows, a.in.seen.ranges) * s.heads * s.head_size;
  detail::for_each_task(a.groups * s.kv_heads, work, [&](Index i) {
    const Index g = i / s.kv_heads, kv = i % s.kv_heads;
    const Index begin = a.group_begin[g], end = g + 1 < a.groups ? a.group_begin[g + 1] : rows;
    if constexpr (std::is_same_v<T, float>)
      detail::BackwardGroup(a, kv, begin, end).run();
    else
      reference::attention_grad(a, kv, begin, end);
  });
}

}  // namespace gaze::cpu
