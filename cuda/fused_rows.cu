// SPDX-License-Identifier: MIT
// Launches the fast kernels over rows.
#include "cuda/fused_rows.hpp"

#include "cuda/elements.cuh"
#include "cuda/fused_update.cuh"

namespace gaze::cuda {

namespace {

template <class T>
void check_columns(const char* name, Index c) {
  GAZE_CHECK(FusedRows::possible<T>(c), name, c, " columns are not whole vectors of 16 bytes");
}

dim3 row_blocks(Index n) { return blocks_for(n, fused::kRowWarps); }

template <class T, bool Centred>
void norm_forward(const char* name, const fused::Norm<T>& a) {
  check_columns<T>(name, a.c);
  if (a.n > 0)
    launch({name, row_blocks(a.n), dim3(fused::kRowThreads)},
           fused::norm_forward_kernel<T, Centred>, a);
}

/// Gradients of weight and bias first, for dx may be dy.
template <class T, bool Centred>
void norm_backward(const char* name, fused::NormGrad<T> a, float* dweight, float* dbias) {
  check_columns<T>(name, a.c);
  if (a.n <= 0) return;
  const Index count = pieces(a.n, fused::kPieceRows);
  const Storage<Cuda> partials(static_cast<std::size_t>(2 * count * a.c) * sizeof(float));
  auto* const partial = static_cast<float*>(partials.data());
  a.dweight = dweight ? partial : nullptr;
  a.dbias = dbias ? partial + count * a.c : nullptr;
  if (dweight || dbias) {
    dim3 blocks = blocks_for(a.c / fused::wide<T>, fused::kRowThreads);
    blocks.y = static_cast<unsigned>(count < 65535 ? count : 65535);
    launch({name, blocks, dim3(fused::kRowThreads)}, fused::norm_weight_kernel<T, Centred>, a);
  }
  if (dweight) for_each(name, a.c, fused::AddColumnPieces{count, a.c, a.dweight, dweight});
  if (dbias) for_each(name, a.c, fused::AddColumnPieces{count, a.c, a.dbias, dbias});
  launch({name, row_blocks(a.n), dim3(fused::kRowThreads)}, fused::norm_backward_kernel<T, Centred>,
         a);
}

}  // namespace

template <class T>
void FusedRows::rms_norm_forward(Index n, Index c, const T* x, const T* weight, float eps, T* y,
                                 float* inv_rms) {
  norm_forward<T, false>("rms_norm", {n, c, x, weight, nullptr, eps, y, nullptr, inv_rms});
}
template <class T>
void FusedRows::rms_norm_backward(Index n, Index c, const T* x, const T* weight,
                                  const float* inv_rms, const float* dy, float* dx, float* dweight,
                                  bool accumulate_dx) {
  norm_backward<T, false>(
      "rms_norm_backward",
      {n, c, x, weight, nullptr, inv_rms, dy, dx, accumulate_dx, nullptr, nullptr}, dweight,
      nullptr);
}
template <class T>
void FusedRows::layer_norm_forward(Index n, Index c, const T* x, const T* weight, const T* bias,
                                   float eps, T* y, float* mean, float* inv_std) {
  norm_forward<T, true>("layer_norm", {n, c, x, weight, bias, eps, y, mean, inv_std});
}
template <class T>
void FusedRows::layer_norm_backward(Index n, Index c, const T* x, const T* weight,
                                    const float* mean, const float* inv_std, const float* dy,
                                    float* dx, float* dweight, float* dbias, bool accumulate_dx) {
  norm_backward<T, true>("layer_norm_backward",
                         {n, c, x, weight, mean, inv_std, dy, dx, accumulate_dx, nullptr, nullptr},
                         dweight, dbias);
}

template <class T>
void FusedRows::swiglu_forward(Index n, Index c, const T* gate_up, T* y) {
  check_columns<T>("swiglu", c);
  for_each("swiglu", n * c / fused::wide<T>, fused::WideSwiglu<T>{c, gate_up, y});
}
template <class T>
void FusedRows::swiglu_backward(Index n, Index c, const T* gate_up, const float* dy,
                                float* dgate_up) {
  check_columns<T>("swiglu_backward", c);
  for_each("swiglu_backward", n * c / fused::wide<T>,
           fused::WideSwigluGrad<T>{c, gate_up, dy, dgate_up});
}
template <class T>
void FusedRows::bias_gelu_forward(Index n, Index c, const T* x, const T* bias, T* y) {
  check_columns<T>("bias_gelu", c);
  for_each("bias_gelu", n * c / fused::wide<T>, fused::BiasGelu<T>{c, x, bias, y});
}
template <class T>
void FusedRows::bias_gelu_backward(Index n, Index c, const T* x, const T* bias, const float* dy,
                                   float* dx) {
  check_columns<T>("bias_gelu_backward", c);
  for_each("bias_gelu_backward", n * c / fused::wide<T>,
           fused::BiasGeluGrad<T>{c, x, bias, dy, dx});
}

template <class T>
void FusedRows::softmax_stats(Index n, Index v, const T* logits, Index stride,
                              float inv_temperature, const std::int32_t* target, float* logp,
                              float* entropy, float* lse) {
  const fused::SoftmaxStats<T> a{n, v, stride, logits, inv_temperature, target, logp, entropy, lse};
  if (n > 0)
    launch({"softmax_stats", blocks_for(n, 1), dim3(fused::kRowThreads)},
           fused::softmax_stats_kernel<T>, a);
}
template <class T>
void FusedRows::softmax_stats_backward(Index n, Index v, T* logits, Index stride,
                                       float inv_temperature, const std::int32_t* target,
                                       const float* lse, const float* entropy, const float* dlogp,
                                       const float* dentropy) {
  const fused::SoftmaxStatsGrad<T> a{n,      v,   stride,  logits, inv_temperature,
                                     target, lse, entropy, dlogp,  dentropy};
  if (n > 0)
    launch({"softmax_stats_backward", blocks_for(n, 1), dim3(fused::kRowThreads)},
           fused::softmax_stats_backward_kernel<T>, a);
}

template <class G>
void FusedRows::embedding_gradient(Index n, Index c, const G* x, const std::int32_t* index,
                                   Index table_rows, G* table) {
  if (n > 0)
    launch({"embedding_gradient", blocks_for(n, 1), dim3(fused::kRowThreads)},
           fused::embedding_gradient_kernel<G>, n, c, x, index, table_rows, table);
}

void FusedRows::adamw_step(Index n, float* master, const float* grad, float* m, float* v,
                           const AdamWStep<float>& settings, float bias_correction1,
                           float bias_correction2, float grad_scale, bf16* copy) {
  check_columns<float>("adamw_step", n);
  check_adamw_step(settings, bias_correction1, bias_correction2, grad_scale);
  for_each("adamw_step", n / fused::wide<float>,
           fused::WideAdamW{settings, 1 / bias_correction1, 1 / std::sqrt(bias_correction2),
                            grad_scale, master, grad, m, v, copy});
}

#define GAZE_INSTANTIATE(T)                                                                        \
  template void FusedRows::rms_norm_forward(Index, Index, const T*, const T*, float, T*, float*);  \
  template void FusedRows::rms_norm_backward(Index, Index, const T*, const T*, const float*,       \
                                             const float*, float*, float*, bool);                  \
  template void FusedRows::layer_norm_forward(Index, Index, const T*, const T*, const T*, float,   \
                                              T*, float*, float*);                                 \
  template void FusedRows::layer_norm_backward(Index, Index, const T*, const T*, const float*,     \
                                               const float*, const float*, float*, float*, float*, \
                                               bool);                                              \
  template void FusedRows::swiglu_forward(Index, Index, const T*, T*);                             \
  template void FusedRows::swiglu_backward(Index, Index, const T*, const float*, float*);          \
  template void FusedRows::bias_gelu_forward(Index, Index, const T*, const T*, T*);                \
  template void FusedRows::bias_gelu_backward(Index, Index, const T*, const T*, const float*,      \
                                              float*);                                             \
  template void FusedRows::softmax_stats(Index, Index, const T*, Index, float,                     \
                                         const std::int32_t*, float*, float*, float*);             \
  template void FusedRows::softmax_stats_backward(Index, Index, T*, Index, float,                  \
                                                  const std::int32_t*, const float*, const float*, \
                                                  const float*, const float*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(bf16)
#undef GAZE_INSTANTIATE
template void FusedRows::embedding_gradient(Index, Index, const float*, const std::int32_t*, Index,
                                            float*);

}  // namespace gaze::cuda
