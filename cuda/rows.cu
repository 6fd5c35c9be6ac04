// SPDX-License-Identifier: MIT
// Launches the kernels of rows.cuh, or their vectorised versions.
#include "cuda/rows.cuh"

#include "cuda/kernels.hpp"
#include "cuda/vectorised.hpp"

namespace gaze::cuda {

namespace {

Launch warp_per_row(const char* name, Index rows, SourceLine where = SourceLine::here()) {
  return {name, blocks_for(rows, kRowWarps), dim3(kRowThreads), 0, where};
}

/// y[j] += sum over rows of value(r, j), in an order that depends on n alone.
template <class T, class F>
void add_columns(const char* name, Index n, Index c, const F& value, T* y) {
  if (n <= 0 || c <= 0) return;
  const Index count = pieces(n, kRowPiece);
  const Storage<Cuda> storage(static_cast<std::size_t>(count * c) * sizeof(T));
  T* const partial = static_cast<T*>(storage.data());
  const dim3 blocks(grid_size(name, pieces(c, kRowThreads)),
                    static_cast<unsigned>(count < 65535 ? count : 65535));
  launch({name, blocks, dim3(kRowThreads)}, column_pieces_kernel<T, F>, n, c, value, partial);
  for_each(name, c, AddPieces<T>{count, c, partial, y});
}

}  // namespace

template <class T>
void rms_norm_forward(const args::RmsNormForward<T>& a) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(a.c, a.x, a.weight, a.y)) return vectorised::rms_norm_forward(a);
  if (a.n <= 0) return;
  launch(warp_per_row("rms_norm_forward", a.n), rms_norm_forward_kernel<T>, a.n, a.c, a.x, a.weight,
         a.eps, a.y, a.inv_rms);
}

template <class T>
void rms_norm_backward(const args::RmsNormBackward<T>& a) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(a.c, a.x, a.weight, a.dy, a.dx)) return vectorised::rms_norm_backward(a);
  if (a.n <= 0) return;
  if (a.dweight)
    add_columns("rms_norm_backward", a.n, a.c,
                NormWeightValue<T>{a.c, a.x, a.dy, nullptr, a.inv_rms}, a.dweight);
  launch(warp_per_row("rms_norm_backward", a.n), rms_norm_backward_kernel<T>, a.n, a.c, a.x,
         a.weight, a.inv_rms, a.dy, a.dx, a.accumulate_dx);
}

template <class T>
void layer_norm_forward(const args::LayerNormForward<T>& a) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(a.c, a.x, a.weight, a.bias, a.y)) return vectorised::layer_norm_forward(a);
  if (a.n <= 0) return;
  launch(warp_per_row("layer_norm_forward", a.n), layer_norm_forward_kernel<T>, a.n, a.c, a.x,
         a.weight, a.bias, a.eps, a.y, a.mean, a.inv_std);
}

template <class T>
void layer_norm_backward(const args::LayerNormBackward<T>& a) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(a.c, a.x, a.weight, a.dy, a.dx)) return vectorised::layer_norm_backward(a);
  if (a.n <= 0) return;
  if (a.dweight)
    add_columns("layer_norm_backward", a.n, a.c,
                NormWeightValue<T>{a.c, a.x, a.dy, a.mean, a.inv_std}, a.dweight);
  if (a.dbias) add_columns("layer_norm_backward", a.n, a.c, ColumnValue<T>{a.c, a.dy}, a.dbias);
  launch(warp_per_row("layer_norm_backward", a.n), layer_norm_backward_kernel<T>, a.n, a.c, a.x,
         a.weight, a.mean, a.inv_std, a.dy, a.dx, a.accumulate_dx);
}

template <class T>
void rotary(const args::Rotary<T>& a) {
  GAZE_CHECK(a.head_size > 0 && a.head_size % 2 == 0, "rotary", "head size ", a.head_size,
             " is not even");
  for_each("rotary", a.n * (a.head_size / 2),
           RotatePair<T>{a.heads, a.head_size, a.stride, a.position,
                         std::log(static_cast<double>(a.theta)), a.inverse ? T(-1) : T(1), a.x});
}

template <class T>
void softmax_stats(const args::SoftmaxStats<T>& a) {
  if constexpr (std::is_same_v<T, float>)
    if (kernel_choice.fast) return vectorised::softmax_stats(a);
  if (a.n <= 0) return;
  launch({"softmax_stats", blocks_for(a.n, 1), dim3(kRowThreads)}, softmax_stats_kernel<T>, a.n,
         a.v, a.logits, a.stride, a.inv_temperature, a.target, a.logp, a.entropy, a.lse);
}

template <class T>
void softmax_stats_backward(const args::SoftmaxStatsBackward<T>& a) {
  if constexpr (std::is_same_v<T, float>)
    if (kernel_choice.fast) return vectorised::softmax_stats_backward(a);
  for_each("softmax_stats_backward", a.n * a.v,
           SoftmaxStatsGrad<T>{a.v, a.stride, a.inv_temperature, a.logits, a.target, a.lse,
                               a.entropy, a.dlogp, a.dentropy});
}

template <class T>
void column_sum(Index n, Index c, const T* x, T* y) {
  add_columns("column_sum", n, c, ColumnValue<T>{c, x}, y);
}

template <class T>
void gather_rows(Index n, Index c, const T* table, const std::int32_t* index, T* y) {
  for_each("gather_rows", n * c, GatherRows<T>{c, table, index, y});
}

template <class T>
void gather_rounded_rows(Index n, Index c, const bf16* table, const std::int32_t* index, T* y) {
  for_each("gather_rounded_rows", n * c, GatherRows<T, bf16>{c, table, index, y});
}

template <class T>
void scatter_add_rows(Index n, Index c, const T* x, const std::int32_t* index, Index table_rows,
                      T* table) {
  if constexpr (std::is_same_v<T, float>)
    if (kernel_choice.fast && n < table_rows)
      return vectorised::embedding_gradient(n, c, x, index, table_rows, table);
  if (n <= 0 || table_rows <= 0) return;
  launch({"scatter_add_rows", blocks_for(table_rows, 1), dim3(kRowThreads)},
         scatter_add_rows_kernel<T>, n, c, x, index, table_rows, table);
}

GAZE_ROW_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_ROW_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_ROUNDED_ROW_KERNELS(GAZE_INSTANTIATE_KERNEL, float)

}  // namespace gaze::cuda
