// SPDX-License-Identifier: MIT
// What gaze::kernels compiles for float on the CPU besides the kernels (cmake/cpu_engine.cpp), so
// that files with GAZE_CPU_COMPILED need not. Operations that are missing here are compiled in the
// files that use them.
#pragma once
#include "gaze/autograd.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/nn/layers.hpp"
#include "gaze/ops/attention.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/gemm.hpp"
#include "gaze/ops/logprob.hpp"
#include "gaze/ops/losses.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/rows.hpp"
#include "gaze/ops/views.hpp"
#include "gaze/optim/adamw.hpp"

namespace gaze::detail {
using CompiledWeight = const Weight<float, Cpu>&;
}

// clang-format off
// TEMPLATE is `template` where the code is compiled, `extern template` in all other files.
#define GAZE_COMPILED_CLASSES(TEMPLATE)                 \
  TEMPLATE class Tensor<float>;                         \
  TEMPLATE class Tensor<std::int32_t>;                  \
  TEMPLATE struct GradNode<float, Cpu>;                 \
  TEMPLATE class Saved<float, Cpu>;                     \
  TEMPLATE class detail::LowRankProducts<float, Cpu>;   \
  TEMPLATE class detail::WeightProducts<float, Cpu>;    \
  TEMPLATE class KeyValueStore<float, Cpu>;             \
  TEMPLATE struct Parameter<float, Cpu>;                \
  TEMPLATE class Parameters<float>;                     \
  TEMPLATE class Linear<float, Cpu>;                    \
  TEMPLATE class RmsNorm<float, Cpu>;                   \
  TEMPLATE class LayerNorm<float, Cpu>;                 \
  TEMPLATE class AdamW<float>;

// Of X, a tensor, I, indices, and W, a weight of linear().
#define GAZE_COMPILED_FUNCTIONS(TEMPLATE, X, I, W)                  \
  TEMPLATE void backward(X);                                        \
  TEMPLATE void backward(X, X);                                     \
  TEMPLATE Tensor<float> add(X, X);                                 \
  TEMPLATE Tensor<float> sub(X, X);                                 \
  TEMPLATE Tensor<float> mul(X, X);                                 \
  TEMPLATE Tensor<float> div(X, X);                                 \
  TEMPLATE Tensor<float> minimum(X, X);                             \
  TEMPLATE Tensor<float> maximum(X, X);                             \
  TEMPLATE Tensor<float> clamp(X, float, float);                    \
  TEMPLATE Tensor<float> scale(X, float);                           \
  TEMPLATE Tensor<float> exp(X);                                    \
  TEMPLATE Tensor<float> log(X);                                    \
  TEMPLATE Tensor<float> sqrt(X);                                   \
  TEMPLATE Tensor<float> tanh(X);                                   \
  TEMPLATE Tensor<float> sigmoid(X);                                \
  TEMPLATE Tensor<float> silu(X);                                   \
  TEMPLATE Tensor<float> gelu(X);                                   \
  TEMPLATE Tensor<float> relu(X);                                   \
  TEMPLATE Tensor<float> square(X);                                 \
  TEMPLATE Tensor<float> neg(X);                                    \
  TEMPLATE Tensor<float> swiglu(X);                                 \
  TEMPLATE Tensor<float> sum(X);                                    \
  TEMPLATE Tensor<float> sum(X, const Shape&);                      \
  TEMPLATE Tensor<float> mean(X);                                   \
  TEMPLATE Tensor<float> mean(X, const Shape&);                     \
  TEMPLATE Tensor<float> softmax(X, int);                           \
  TEMPLATE Tensor<float> log_softmax(X, int);                       \
  TEMPLATE Tensor<float> cross_entropy(X, I);                       \
  TEMPLATE Tensor<float> contiguous(X);                             \
  TEMPLATE Indices<Cpu> contiguous(I);                              \
  TEMPLATE Tensor<float> reshape(X, Shape);                         \
  TEMPLATE Tensor<float> permute(X, const Shape&);                  \
  TEMPLATE Tensor<float> slice(X, int, Index, Index);               \
  TEMPLATE Tensor<float> expand(X, const Shape&);                   \
  TEMPLATE Tensor<float> concatenate(const std::vector<Tensor<float>>&, int); \
  TEMPLATE Tensor<float> matmul(X, X, bool, bool);                  \
  TEMPLATE Tensor<float> linear(X, W, X, X);                        \
  TEMPLATE LogProb<float, Cpu> linear_logprob(X, W, I, float);      \
  TEMPLATE Tensor<float> rms_norm(X, X, float);                     \
  TEMPLATE Tensor<float> layer_norm(X, X, X, float);                \
  TEMPLATE Tensor<float> rotary(X, Index, Index, float, I);         \
  TEMPLATE Tensor<float> gather_rows(X, I);                         \
  TEMPLATE Tensor<float> gather_rows(W, I);                         \
  TEMPLATE AttentionResult<float, Cpu> attention(X, const AttentionSizes&, \
      std::shared_ptr<const TokenLayout>, X, KeyValueStore<float, Cpu>*);

#define GAZE_COMPILED(TEMPLATE)                                         \
  GAZE_COMPILED_CLASSES(TEMPLATE)                                       \
  GAZE_COMPILED_FUNCTIONS(TEMPLATE, const Tensor<float>&, const Indices<Cpu>&, \
                          detail::CompiledWeight)
// clang-format on

#ifdef GAZE_CPU_COMPILED
namespace gaze {
GAZE_COMPILED(extern template)
}  // namespace gaze
#endif
