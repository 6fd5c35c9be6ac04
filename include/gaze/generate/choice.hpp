// SPDX-License-Identifier: MIT
// Choosing the next token of many sequences on the host.
#pragma once
#include <span>

#include "gaze/core/parallel.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/ops/indices.hpp"

namespace gaze::detail {

/// Per row of logits: log p of a target, and the log-sum-exp.
template <class T>
struct RowStatistics {
  std::vector<T> logp, lse;
};

/// Those of logits [n, V] / temperature, computed on the device as in logprobs().
template <class T, class Device>
RowStatistics<T> row_statistics(const Tensor<T, Device>& logits, T inverse_temperature,
                                const std::vector<std::int32_t>& targets) {
  const Index n = logits.size(0), v = logits.size(1);
  Tensor<T, Device> logp({n}), entropy({n}), lse({n});
  const auto target = Indices<Device>::from({n}, targets);
  Kernels<Device>::softmax_stats(args::SoftmaxStats<T>{.n = n,
                                                       .v = v,
                                                       .logits = logits.data(),
                                                       .stride = v,
                                                       .inv_temperature = inverse_temperature,
                                                       .target = target.data(),
                                                       .logp = logp.data(),
                                                       .entropy = entropy.data(),
                                                       .lse = lse.data()});
  return {logp.to_vector(), lse.to_vector()};
}

/// Probabilities [V] of a row of logits with a repetition penalty.
template <class T>
void penalised_weights(std::span<const T> row, const SamplingSettings& s,
                       std::span<const std::int32_t> seen, std::vector<float>& out) {
  const std::vector<double> logits(row.begin(), row.end());
  const auto p = filtered_probabilities(logits, s, seen);
  std::transform(p.begin(), p.end(), out.begin(), [](double x) { return static_cast<float>(x); });
}

/// exp(row / temperature - lse) [V]; `scratch` [V].
template <class T>
void softmax_weights(std::span<const T> row, T inverse_temperature, T lse, std::vector<T>& scratch,
                     std::vector<float>& out) {
  using Host = Kernels<typename Tensor<T, Cpu>::device_type>;
  for (std::size_t j = 0; j < row.size(); ++j) scratch[j] = row[j] * inverse_temperature - lse;
  Host::unary_forward(args::UnaryForward<T>{.op = UnaryOp::exp,
                                            .n = static_cast<Index>(row.size()),
                                            .x = scratch.data(),
                                            .y = scratch.data()});
  std::copy(scratch.begin(), scratch.end(), out.begin());
}

/// Chooses a token for each row of logits [n, V], and its log-probability. Random numbers are keyed
/// by (sample[i], position). `tokens_seen(i)` returns the tokens that the repetition penalty acts
/// on; it is called only with one.
template <class T, class Device>
void choose(const Tensor<T, Device>& logits, const SamplingSettings& s, const Philox& random,
            std::span<const std::uint64_t> sample, std::uint64_t position, const auto& tokens_seen,
            std::vector<std::int32_t>& token, std::vector<T>& logp) {
  const Index n = logits.size(0);
  checked_int32("rollout", "the size of the vocabulary", logits.size(1));
  const auto v = static_cast<std::size_t>(logits.size(1));
  const T inverse = s.greedy ? T(1) : T(1) / static_cast<T>(s.temperature);  // as in logprobs()
  token.assign(static_cast<std::size_t>(n), -1);
  std::vector<T> lse;
  if (!s.greedy) lse = row_statistics(logits, inverse, token).lse;
  const auto host = logits.host();
  parallel_for(n, 8, [&](Index begin, Index end) {
    std::vector<T> scratch(v);
    std::vector<float> weights(v);
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const std::span<const T> row(host.data() + i * v, v);
      if (s.greedy) {
        token[i] =
            static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
        continue;
      }
      if (s.repetition_penalty != 1)
        penalised_weights(row, s, tokens_seen(i), weights);
      else
        softmax_weights(row, inverse, lse[i], scratch, weights);
      token[i] = draw(weights, random.uniform(sample[i], position), s);
    }
  });
  logp = row_statistics(logits, inverse, token).logp;
  for (const T value : logp) check_logp(static_cast<double>(value));
}

}  // namespace gaze::detail
