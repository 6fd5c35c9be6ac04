// SPDX-License-Identifier: MIT
// Cross-entropy of stored logits. (Logits that are a product with the vocabulary need not be
// stored: linear_logprob in logprob.hpp.)
#pragma once
#include "gaze/ops/cast.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/select.hpp"

namespace gaze {

/// The mean over rows of log sum e^z - z[target], shape []; dz = dloss (softmax(z) -
/// onehot(target)) / rows that count.
///
/// Logits z [N, V] and target [N]; a row with target -1 does not count.
template <class T, class Device>
Tensor<T, Device> cross_entropy(const Tensor<T, Device>& logits_input,
                                const Indices<Device>& target_input) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  detail::check_defined("cross_entropy", logits_input, target_input);
  GAZE_CHECK(logits_input.rank() == 2 && target_input.shape() == Shape({logits_input.size(0)}),
             "cross_entropy", "logits ", logits_input.shape(), ", target ", target_input.shape());
  const auto z = contiguous(logits_input);
  const Index n = z.size(0), v = z.size(1);
  const auto target = detail::checked_indices("cross_entropy", contiguous(target_input), v);
  const auto count = static_cast<Index>(
      sum(cast<double>(greater_equal(target, Indices<Device>::scalar(0)))).item());
  GAZE_CHECK(count > 0, "cross_entropy", "no row of ", z.shape(), " has a target");
  Tensor<T, Device> logp({n}), entropy({n}), lse({n});
  K::softmax_stats(args::SoftmaxStats<T>{.n = n,
                                         .v = v,
                                         .logits = z.data(),
                                         .stride = v,
                                         .inv_temperature = T(1),
                                         .target = target.data(),
                                         .logp = logp.data(),
                                         .entropy = entropy.data(),
                                         .lse = lse.data()});
  const double total = K::sum(n, logp.data());
  auto y = Tensor<T, Device>::scalar(static_cast<T>(-total / static_cast<double>(count)));
  if (recorded(z))
    record(
        "cross_entropy", y,
        [n, v, count, lse, z = S("cross_entropy", z), to = z.node(),
         target = detail::SavedIndices<Device>("cross_entropy", target)](const auto& dy) {
          Tensor<T, Device> dz({n, v});
          K::copy(dz.numel(), z.data(), dz.data());
          const auto factor = Tensor<T, Device>::scalar(static_cast<T>(-count));
          const auto dlogp = contiguous(
              expand(detail::binary_values(BroadcastOp::div, "cross_entropy", dy, factor), {n}));
          K::softmax_stats_backward(args::SoftmaxStatsBackward<T>{.n = n,
                                                                  .v = v,
                                                                  .logits = dz.data(),
                                                                  .stride = v,
                                                                  .inv_temperature = T(1),
                                                                  .target = target.data(),
                                                                  .lse = lse.data(),
                                                                  .entropy = nullptr,
                                                                  .dlogp = dlogp.data(),
                                                                  .dentropy = nullptr});
          to->take(std::move(dz));
        },
        z);
  return y;
}

}  // namespace gaze
