// SPDX-License-Identifier: MIT
// Launches fused attention: chooses the kernel and the number of blocks.
#include "cuda/flash/fused_attention.hpp"

#include "cuda/flash/fused_backward.cuh"

namespace gaze::cuda {

namespace {

using namespace fused;

constexpr int kCombineThreads = 128, kDeltaThreads = 256;

/// f(D) with the kernel's head size as a constant.
template <class F>
void with_head_size(Index head_size, F f) {
  switch (padded_head(head_size)) {
    case 32:
      return f(std::integral_constant<int, 32>());
    case 64:
      return f(std::integral_constant<int, 64>());
    case 80:
      return f(std::integral_constant<int, 80>());
    default:
      return f(std::integral_constant<int, 128>());
  }
}
template <class F>
void with_flag(bool flag, F f) {
  flag ? f(std::true_type()) : f(std::false_type());
}

/// Rows of a tile of `queries` queries.
Index tile_rows(const AttentionShape& s, int queries) {
  return query_shape(s.heads, s.kv_heads, queries).rows;
}
unsigned head_blocks(const AttentionShape& s, int queries) {
  return grid_size("fused_attention", s.kv_heads * query_shape(s.heads, s.kv_heads, queries).parts);
}

/// The outer and inner rows of the backward kernels for this head size.
template <class T>
std::pair<int, int> backward_rows(Index head_size) {
  std::pair<int, int> rows;
  with_head_size(head_size, [&](auto D) {
    using Sizes = BackwardSizes<T, D(), false>;
    rows = {Sizes::outer, Sizes::inner};
  });
  return rows;
}

template <class T, int D, bool Marked, int Warps>
void launch_forward(ForwardArguments<T> a, const AttentionShape& s, const ForwardTables& tables) {
  using Sizes = ForwardSizes<T, D, Marked, Warps>;
  const unsigned y = head_blocks(s, Sizes::queries);
  const auto z = static_cast<unsigned>(Marked ? pieces(a.mark_count, kMarkColumns) : 1);
  const std::size_t floats =
      static_cast<std::size_t>(tables.partials) * y * z * Sizes::queries * Sizes::partial_floats;
  std::unique_ptr<Storage<Cuda>> partials;
  if (floats > 0) {
    partials = std::make_unique<Storage<Cuda>>(floats * sizeof(float));
    a.partials = static_cast<float*>(partials->data());
  }
  launch({"fused_attention", dim3(tables.tiles.size(), y, z), dim3(Sizes::threads),
          Sizes::shared_bytes},
         forward_kernel<T, D, Marked, Warps>, a);
  if (floats > 0)
    launch({"fused_attention_combine", dim3(tables.combined.size(), y, z), dim3(kCombineThreads)},
           combine_kernel<T, D, Marked, Warps>, a, tables.combined.data());
}

template <class T, int D, bool Marked>
void launch_backward(const BackwardArguments<T>& a, const AttentionShape& s, unsigned query_tiles,
                     unsigned key_tiles) {
  using Sizes = BackwardSizes<T, D, Marked>;
  const dim3 threads(Sizes::threads);
  if (query_tiles > 0) {
    launch({"fused_attention_delta", blocks_for(a.rows * s.heads, kDeltaThreads / kLanes),
            dim3(kDeltaThreads)},
           delta_kernel<T>, a);
    launch({"fused_attention_dq", dim3(query_tiles, head_blocks(s, Sizes::outer)), threads,
            Sizes::tile_bytes},
           dq_kernel<T, D, Marked>, a);
  }
  if (key_tiles > 0)
    launch({"fused_attention_dkv", dim3(key_tiles, static_cast<unsigned>(s.kv_heads)), threads,
            Sizes::tile_bytes + Sizes::query_bytes},
           dkv_kernel<T, D, Marked>, a);
}

}  // namespace

template <class T>
bool FusedAttention<T>::possible(const AttentionShape& s, AttentionUse use) {
  const Index row = s.head_size * static_cast<Index>(sizeof(T));
  return padded_head(s.head_size) > 0 && row % kUnit == 0 &&
         (!use.gradients || s.marks <= kMarkColumns) && device().compute >= 80;
}

template <class T>
bool FusedAttention<T>::fits(const AttentionShape& s, AttentionUse use) const {
  return s.heads == shape_.heads && s.kv_heads == shape_.kv_heads &&
         s.head_size == shape_.head_size && s.marks == shape_.marks && s.scale == shape_.scale &&
         s.slots == shape_.slots && use.split == use_.split && (use_.gradients || !use.gradients);
}

template <class T>
FusedAttention<T>::FusedAttention(const AttentionShape& shape, Index rows, const KeyRange* ranges,
                                  AttentionUse use, std::int32_t room)
    : shape_(shape), rows_(rows), use_(use) {
  check_attention_sizes("attention", shape);  // kernels compute with them in 32 bits
  GAZE_CHECK(possible(shape, use), "FusedAttention", "no kernel for heads of ", shape.head_size,
             " with ", shape.marks, " marks");
  auto plan = forward_plan(ranges, rows, tile_rows(shape, 64), 0, room);
  Index keys = 0, max_rows = 0;
  for (const QueryTile& tile : plan.tiles) {
    keys += detail::keys_of(plan, tile);
    max_rows = std::max<Index>(max_rows, tile.rows);
  }
  const Index heads = query_shape(shape.heads, shape.kv_heads, 64).heads;
  if (max_rows * heads <= 16) warps_ = 1;
  if (use.split) {
    // About two blocks per multiprocessor; 64 is a multiple of every kernel's block of keys.
    const Index blocks = pieces(Index{2} * device().multiprocessors, shape.kv_heads);
    const auto tiles = static_cast<Index>(plan.tiles.size());
    if (const auto split = split_length(keys, tiles, blocks, 64))
      plan = forward_plan(ranges, rows, tile_rows(shape, 16 * warps_), split, room);
  }
  forward_ = ForwardTables(plan);
  if (!use.gradients) return;
  const auto [outer, inner] = backward_rows<T>(shape.head_size);
  queries_ = ForwardTables(forward_plan(ranges, rows, tile_rows(shape, outer)));
  const auto walked = backward_plan(ranges, rows, shape.slots, outer, tile_rows(shape, inner));
  key_tiles_ = Table<KeyTile>(walked.tiles);
  chunks_ = Table<std::int32_t>(walked.chunks);
}

/// The members that forward and backward share.
template <class T>
fused::AttentionArguments<T> FusedAttention<T>::arguments(const ForwardTables& tables,
                                                          const args::AttentionInputs<T>& in,
                                                          bool marked) const {
  return {in.q,
          in.q_stride,
          in.keys,
          in.values,
          in.marks,
          in.seen.ranges,
          tables.tiles.data(),
          tables.segments.data(),
          static_cast<int>(shape_.heads),
          static_cast<int>(shape_.kv_heads),
          static_cast<int>(shape_.head_size),
          marked ? static_cast<int>(shape_.marks) : 0,
          shape_.slots,
          shape_.scale};
}

template <class T>
void FusedAttention<T>::forward(const args::AttentionForward<T>& a) const {
  if (rows_ <= 0) return;
  const ForwardArguments<T> f{arguments(forward_, a.in, a.mark_out != nullptr), a.out, a.lse,
                              a.mark_out, nullptr};
  with_head_size(shape_.head_size, [&](auto D) {
    with_flag(f.mark_count > 0, [&](auto marked) {
      if (warps_ == 1)
        launch_forward<T, D(), marked(), 1>(f, shape_, forward_);
      else
        launch_forward<T, D(), marked(), 4>(f, shape_, forward_);
    });
  });
}

template <class T>
void FusedAttention<T>::backward(const args::AttentionBackward<T>& a) const {
  GAZE_CHECK(use_.gradients, "FusedAttention", "constructed without gradients");
  const Storage<Cuda> delta(static_cast<std::size_t>(rows_ * shape_.heads + 1) * sizeof(float));
  const BackwardArguments<T> b{arguments(queries_, a.in, a.dmark_out != nullptr),
                               key_tiles_.data(),
                               chunks_.data(),
                               static_cast<int>(rows_),
                               a.out,
                               a.lse,
                               a.mark_out,
                               a.dout,
                               a.dmark_out,
                               static_cast<float*>(delta.data()),
                               a.dq,
                               a.dkeys,
                               a.dvalues};
  with_head_size(shape_.head_size, [&](auto D) {
    with_flag(b.mark_count > 0, [&](auto marked) {
      launch_backward<T, D(), marked()>(b, shape_, queries_.tiles.size(), key_tiles_.size());
    });
  });
}

template class FusedAttention<float>;
template class FusedAttention<bf16>;

}  // namespace gaze::cuda
