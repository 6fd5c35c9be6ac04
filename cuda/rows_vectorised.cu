// SPDX-License-Identifier: MIT
// Launches the kernels of rows_vectorised.cuh.
#include "cuda/rows_vectorised.cuh"

#include "cuda/vectorised.hpp"

namespace gaze::cuda::vectorised {

namespace {

template <class T, bool Centred>
void norm_forward(const char* name, const Norm<T>& a) {
  check_columns<T>(name, a.c);
  if (a.n > 0)
    launch({name, blocks_for(a.n, kRowWarps), dim3(kRowThreads)}, norm_forward_kernel<T, Centred>,
           a);
}

/// The gradients of weight and bias come first, because dx may be dy.
template <class T, bool Centred>
void norm_backward(const char* name, NormGrad<T> a, float* dweight, float* dbias) {
  check_columns<T>(name, a.c);
  if (a.n <= 0) return;
  const Index count = pieces(a.n, kPieceRows);
  const Storage<Cuda> partials(static_cast<std::size_t>(2 * count * a.c) * sizeof(float));
  auto* const partial = static_cast<float*>(partials.data());
  a.dweight = dweight ? partial : nullptr;
  a.dbias = dbias ? partial + count * a.c : nullptr;
  if (dweight || dbias) {
    dim3 blocks = blocks_for(a.c / wide<T>, kRowThreads);
    blocks.y = static_cast<unsigned>(count < 65535 ? count : 65535);
    launch({name, blocks, dim3(kRowThreads)}, norm_weight_kernel<T, Centred>, a);
  }
  if (dweight) for_each(name, a.c, AddColumnPieces{count, a.c, a.dweight, dweight});
  if (dbias) for_each(name, a.c, AddColumnPieces{count, a.c, a.dbias, dbias});
  launch({name, blocks_for(a.n, kRowWarps), dim3(kRowThreads)}, norm_backward_kernel<T, Centred>,
         a);
}

}  // namespace

template <class T>
void rms_norm_forward(const args::RmsNormForward<T>& a) {
  norm_forward<T, false>("rms_norm",
                         {a.n, a.c, a.x, a.weight, nullptr, a.eps, a.y, nullptr, a.inv_rms});
}
template <class T>
void rms_norm_backward(const args::RmsNormBackward<T>& a) {
  norm_backward<T, false>(
      "rms_norm_backward",
      {a.n, a.c, a.x, a.weight, nullptr, a.inv_rms, a.dy, a.dx, a.accumulate_dx, nullptr, nullptr},
      a.dweight, nullptr);
}
template <class T>
void layer_norm_forward(const args::LayerNormForward<T>& a) {
  norm_forward<T, true>("layer_norm",
                        {a.n, a.c, a.x, a.weight, a.bias, a.eps, a.y, a.mean, a.inv_std});
}
template <class T>
void layer_norm_backward(const args::LayerNormBackward<T>& a) {
  norm_backward<T, true>(
      "layer_norm_backward",
      {a.n, a.c, a.x, a.weight, a.mean, a.inv_std, a.dy, a.dx, a.accumulate_dx, nullptr, nullptr},
      a.dweight, a.dbias);
}

template <class T>
void softmax_stats(const args::SoftmaxStats<T>& a) {
  if (a.n > 0)
    launch({"softmax_stats", blocks_for(a.n, 1), dim3(kRowThreads)}, softmax_stats_kernel<T>,
           StatsArguments<T>{a});
}
template <class T>
void softmax_stats_backward(const args::SoftmaxStatsBackward<T>& a) {
  if (a.n > 0)
    launch({"softmax_stats_backward", blocks_for(a.n, 1), dim3(kRowThreads)},
           softmax_stats_backward_kernel<T>, StatsBackwardArguments<T>{a});
}

void embedding_gradient(Index n, Index c, const float* x, const std::int32_t* index,
                        Index table_rows, float* table) {
  if (n > 0)
    launch({"embedding_gradient", blocks_for(n, 1), dim3(kRowThreads)},
           embedding_gradient_kernel<float>, n, c, x, index, table_rows, table);
}

GAZE_VECTORISED_ROW_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_VECTORISED_ROW_KERNELS(GAZE_INSTANTIATE_KERNEL, bf16)

}  // namespace gaze::cuda::vectorised
