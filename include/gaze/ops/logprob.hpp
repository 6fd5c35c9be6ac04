// SPDX-License-Identifier: MIT
// The fused end of a language model: vocabulary projection, log-probability of a target, entropy.
//
//   z = x w^T / temperature,  logp[n] = z[n,target] - lse(z[n]),  entropy[n] = -sum_v p log p
//
// Rows are processed in chunks, in forward and again in backward, so [N, V] is never stored.
// With dl = dlogp and dh = dentropy:  dz[v] = dl (1[v = target] - p_v) - dh p_v (log p_v + H).
#pragma once
#include "gaze/ops/indices.hpp"
#include "gaze/ops/weight_products.hpp"

namespace gaze {

/// Both are [N] and differentiable. A target of -1 gives logp 0 and no gradient through it.
template <class T, class Device>
struct LogProb {
  Tensor<T, Device> logp, entropy;
};

/// Rows of logits that are in memory at a time; 256 x 1,000 floats are 1 MB, in the L2 cache.
inline constexpr Index logprob_chunk = 256;

namespace detail {

/// Calls f(first row, rows, logits [rows, V]) chunk by chunk, for n rows.
template <class T, class Device, class Function>
void for_logits(const WeightProducts<T, Device>& products, Index n, Index v, Function f) {
  Tensor<T, Device> logits({std::min(n, logprob_chunk), v});
  for (Index at = 0; at < n; at += logprob_chunk) {
    const Index rows = std::min(logprob_chunk, n - at);
    products.forward(at, rows, logits.data(), false);
    f(at, rows, logits.data());
  }
}

}  // namespace detail

/// logp [N] = log p[target] and entropy [N] = -sum p log p of p = softmax(z), z [N,V] = x w^T
/// inverse_temperature; dz = dlogp (onehot(target) - p) - dentropy p (log p + entropy).
///
/// x [N,C], w [V,C], target [N]; with a rounded weight, operands are rounded as in linear().
/// Log-probabilities and entropy have type T in any case.
template <class T, class Device>
LogProb<T, Device> linear_logprob(const Tensor<T, Device>& input,
                                  const std::type_identity_t<Weight<T, Device>>& weight,
                                  const Indices<Device>& target_input,
                                  std::type_identity_t<T> temperature = T(1)) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  using Target = typename GradNode<T, Device>::Target;
  detail::check_defined("linear_logprob", input, weight, target_input);
  GAZE_CHECK(input.rank() == 2 && weight.shape().rank() == 2 && input.size(1) == weight.size(1),
             "linear_logprob", "x ", input.shape(), ", w ", weight.shape());
  GAZE_CHECK(target_input.shape() == Shape({input.size(0)}), "linear_logprob", "x ", input.shape(),
             ", target ", target_input.shape());
  weight.refuse_adapters("linear_logprob");
  GAZE_CHECK(temperature > 0, "linear_logprob", "temperature must be above 0, got ", temperature);
  const auto x = contiguous(input), w = detail::contiguous_or_none(weight.value);
  const Index n = x.size(0), v = weight.size(0);
  const auto target = detail::checked_indices("linear_logprob", contiguous(target_input), v);
  const T inverse = T(1) / temperature;
  LogProb<T, Device> y{Tensor<T, Device>({n}), Tensor<T, Device>({n})};
  Tensor<T, Device> lse({n});
  const detail::WeightProducts<T, Device> products("linear_logprob", x, {w, weight.rounded});
  detail::for_logits(products, n, v, [&](Index at, Index rows, T* logits) {
    K::softmax_stats(args::SoftmaxStats<T>{.n = rows,
                                           .v = v,
                                           .logits = logits,
                                           .stride = v,
                                           .inv_temperature = inverse,
                                           .target = target.data() + at,
                                           .logp = y.logp.data() + at,
                                           .entropy = y.entropy.data() + at,
                                           .lse = lse.data() + at});
  });
  if (!recorded(x, w)) return y;
  record2(
      "linear_logprob", y.logp, y.entropy,
      [=, to_x = x.node(), to_w = w.node(), h = S("linear_logprob", y.entropy),
       targets = detail::SavedIndices<Device>("linear_logprob", target)](const auto& dl,
                                                                         const auto& dh) {
        const Target dx = to_x ? to_x->target() : Target{};
        const Target dw = to_w ? Target{to_w->accumulator(), true} : Target{};  // over the chunks
        detail::for_logits(products, n, v, [&](Index at, Index rows, T* logits) {
          K::softmax_stats_backward(
              args::SoftmaxStatsBackward<T>{.n = rows,
                                            .v = v,
                                            .logits = logits,
                                            .stride = v,
                                            .inv_temperature = inverse,
                                            .target = targets.data() + at,
                                            .lse = lse.data() + at,
                                            .entropy = h.data() + at,
                                            .dlogp = dl.defined() ? dl.data() + at : nullptr,
                                            .dentropy = dh.defined() ? dh.data() + at : nullptr});
          products.backward(at, rows, logits, dx, dw);
        });
      },
      x, w);
  return y;
}

}  // namespace gaze
