// SPDX-License-Identifier: MIT
// Launches the kernels of rows.cuh.
#include "cuda/rows.cuh"

#include "cuda/fused_rows.hpp"
#include "cuda/host/choice.hpp"
#include "cuda/rows.hpp"

namespace gaze::cuda {

namespace {

Launch warp_per_row(const char* name, Index rows,
                    std::source_location where = std::source_location::current()) {
  return {name, blocks_for(rows, kRowWarps), dim3(kRowThreads), 0, where};
}

/// out[j] += sum over rows of value(r, j), in an order that depends on n alone.
template <class T, class F>
void add_columns(const char* name, Index n, Index c, const F& value, T* out) {
  if (n <= 0 || c <= 0) return;
  const Index count = pieces(n, kRowPiece);
  const Storage<Cuda> storage(static_cast<std::size_t>(count * c) * sizeof(T));
  T* const partial = static_cast<T*>(storage.data());
  const dim3 blocks(grid_size(name, pieces(c, kRowThreads)),
                    static_cast<unsigned>(count < 65535 ? count : 65535));
  launch({name, blocks, dim3(kRowThreads)}, column_pieces_kernel<T, F>, n, c, value, partial);
  for_each(name, c, AddPieces<T>{count, c, partial, out});
}

}  // namespace

template <class T>
void RowKernels::rms_norm_forward(Index n, Index c, const T* x, const T* weight, T eps, T* y,
                                  T* inv_rms) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(c, x, weight, y))
      return FusedRows::rms_norm_forward(n, c, x, weight, eps, y, inv_rms);
  if (n <= 0) return;
  launch(warp_per_row("rms_norm_forward", n), rms_norm_forward_kernel<T>, n, c, x, weight, eps, y,
         inv_rms);
}

template <class T>
void RowKernels::rms_norm_backward(Index n, Index c, const T* x, const T* weight, const T* inv_rms,
                                   const T* dy, T* dx, T* dweight, bool accumulate_dx) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(c, x, weight, dy, dx))
      return FusedRows::rms_norm_backward(n, c, x, weight, inv_rms, dy, dx, dweight, accumulate_dx);
  if (n <= 0) return;
  if (dweight)
    add_columns("rms_norm_backward", n, c, NormWeightValue<T>{c, x, dy, nullptr, inv_rms}, dweight);
  launch(warp_per_row("rms_norm_backward", n), rms_norm_backward_kernel<T>, n, c, x, weight,
         inv_rms, dy, dx, accumulate_dx);
}

template <class T>
void RowKernels::layer_norm_forward(Index n, Index c, const T* x, const T* weight, const T* bias,
                                    T eps, T* y, T* mean, T* inv_std) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(c, x, weight, bias, y))
      return FusedRows::layer_norm_forward(n, c, x, weight, bias, eps, y, mean, inv_std);
  if (n <= 0) return;
  launch(warp_per_row("layer_norm_forward", n), layer_norm_forward_kernel<T>, n, c, x, weight, bias,
         eps, y, mean, inv_std);
}

template <class T>
void RowKernels::layer_norm_backward(Index n, Index c, const T* x, const T* weight, const T* mean,
                                     const T* inv_std, const T* dy, T* dx, T* dweight, T* dbias,
                                     bool accumulate_dx) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(c, x, weight, dy, dx))
      return FusedRows::layer_norm_backward(n, c, x, weight, mean, inv_std, dy, dx, dweight, dbias,
                                            accumulate_dx);
  if (n <= 0) return;
  if (dweight)
    add_columns("layer_norm_backward", n, c, NormWeightValue<T>{c, x, dy, mean, inv_std}, dweight);
  if (dbias) add_columns("layer_norm_backward", n, c, ColumnValue<T>{c, dy}, dbias);
  launch(warp_per_row("layer_norm_backward", n), layer_norm_backward_kernel<T>, n, c, x, weight,
         mean, inv_std, dy, dx, accumulate_dx);
}

template <class T>
void RowKernels::rotary(Index n, Index heads, Index head_size, Index stride,
                        const std::int32_t* position, T theta, T* x, bool inverse) {
  GAZE_CHECK(head_size > 0 && head_size % 2 == 0, "rotary", "head size ", head_size,
             " is not even");
  for_each("rotary", n * (head_size / 2),
           Rotary<T>{heads, head_size, stride, position, std::log(static_cast<double>(theta)),
                     inverse ? T(-1) : T(1), x});
}

template <class T>
void RowKernels::softmax_stats(Index n, Index v, const T* logits, Index stride, T inv_temperature,
                               const std::int32_t* target, T* logp, T* entropy, T* lse) {
  if constexpr (std::is_same_v<T, float>)
    if (kernel_choice.fast)
      return FusedRows::softmax_stats(n, v, logits, stride, inv_temperature, target, logp, entropy,
                                      lse);
  if (n <= 0) return;
  launch({"softmax_stats", blocks_for(n, 1), dim3(kRowThreads)}, softmax_stats_kernel<T>, n, v,
         logits, stride, inv_temperature, target, logp, entropy, lse);
}

template <class T>
void RowKernels::softmax_stats_backward(Index n, Index v, T* logits, Index stride,
                                        T inv_temperature, const std::int32_t* target, const T* lse,
                                        const T* entropy, const T* dlogp, const T* dentropy) {
  if constexpr (std::is_same_v<T, float>)
    if (kernel_choice.fast)
      return FusedRows::softmax_stats_backward(n, v, logits, stride, inv_temperature, target, lse,
                                               entropy, dlogp, dentropy);
  for_each("softmax_stats_backward", n * v,
           SoftmaxStatsBackward<T>{v, stride, inv_temperature, logits, target, lse, entropy, dlogp,
                                   dentropy});
}

template <class T>
void RowKernels::column_sum(Index n, Index c, const T* x, T* out) {
  add_columns("column_sum", n, c, ColumnValue<T>{c, x}, out);
}

template <class T>
void RowKernels::gather_rows(Index n, Index c, const T* table, const std::int32_t* index, T* out) {
  for_each("gather_rows", n * c, GatherRows<T>{c, table, index, out});
}

template <class T>
void RowKernels::scatter_add_rows(Index n, Index c, const T* x, const std::int32_t* index,
                                  Index table_rows, T* table) {
  if constexpr (std::is_same_v<T, float>)
    if (kernel_choice.fast && n < table_rows)
      return FusedRows::embedding_gradient(n, c, x, index, table_rows, table);
  if (n <= 0 || table_rows <= 0) return;
  launch({"scatter_add_rows", blocks_for(table_rows, 1), dim3(kRowThreads)},
         scatter_add_rows_kernel<T>, n, c, x, index, table_rows, table);
}

template <class T>
void RowKernels::copy_rows(Index n, Index c, const T* x, Index x_stride, T* y, Index y_stride) {
  for_each("copy_rows", n * c, CopyRows<T>{c, x_stride, y_stride, x, y});
}

#define GAZE_INSTANTIATE(T)                                                                       \
  template void RowKernels::rms_norm_forward(Index, Index, const T*, const T*, T, T*, T*);        \
  template void RowKernels::rms_norm_backward(Index, Index, const T*, const T*, const T*,         \
                                              const T*, T*, T*, bool);                            \
  template void RowKernels::layer_norm_forward(Index, Index, const T*, const T*, const T*, T, T*, \
                                               T*, T*);                                           \
  template void RowKernels::layer_norm_backward(Index, Index, const T*, const T*, const T*,       \
                                                const T*, const T*, T*, T*, T*, bool);            \
  template void RowKernels::rotary(Index, Index, Index, Index, const std::int32_t*, T, T*, bool); \
  template void RowKernels::softmax_stats(Index, Index, const T*, Index, T, const std::int32_t*,  \
                                          T*, T*, T*);                                            \
  template void RowKernels::softmax_stats_backward(                                               \
      Index, Index, T*, Index, T, const std::int32_t*, const T*, const T*, const T*, const T*);   \
  template void RowKernels::column_sum(Index, Index, const T*, T*);                               \
  template void RowKernels::gather_rows(Index, Index, const T*, const std::int32_t*, T*);         \
  template void RowKernels::scatter_add_rows(Index, Index, const T*, const std::int32_t*, Index,  \
                                             T*);                                                 \
  template void RowKernels::copy_rows(Index, Index, const T*, Index, T*, Index);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
#undef GAZE_INSTANTIATE

}  // namespace gaze::cuda
