// SPDX-License-Identifier: MIT
// The pathwise gradient of a reward that reads the policy's own attention.
//
// A reward R(text, a) with the attention a = a(text, theta) depends on theta twice, so the gradient
// of its expectation has two terms:
//
//   d E[R] / d theta = E[R d log p(text) / d theta]  +  E[dR/da da/d theta]
//
// The policy gradient (score function) is the first alone: it can only choose other texts. The
// second, the pathwise one, changes the attention of a given text. With a weight w the loss gets
//
//   loss += -w/C sum_c sum_t (dR/da)_ct . a_ct        C: completions of the optimiser step
//
// where dR/da is a constant, taken at the rollout, and a is differentiable. At the first update of
// a rollout this is an unbiased estimate of the second term over the completions that are trained
// on: groups that `resample` has replaced do not count.
#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/views.hpp"

namespace gaze::rl {

/// -scale sum(gradients * seen), a differentiable scalar. `seen`: per layer [N, width], the first
/// rows those of the completions' tokens, completion by completion; gradients: per completion
/// [token][layer][width], or empty (zeros). `lengths`: tokens of each completion. Throws Error for
/// sizes that do not match.
template <class T, class Device>
Tensor<T, Device> pathwise_term(const std::vector<Tensor<T, Device>>& seen,
                                std::span<const std::vector<float>> gradients,
                                std::span<const Index> lengths, double scale) {
  auto y = Tensor<T, Device>::scalar(T(0));
  GAZE_CHECK(gradients.size() == lengths.size(), "pathwise", gradients.size(), " gradients for ",
             lengths.size(), " completions");
  GAZE_CHECK(!seen.empty(), "pathwise", "the policy observed no attention");
  const auto layers = static_cast<Index>(seen.size()), width = seen.front().size(1);
  Index total = 0;
  for (std::size_t c = 0; c < gradients.size(); ++c) {
    const auto needed = static_cast<std::size_t>(lengths[c] * layers * width);
    GAZE_CHECK(gradients[c].empty() || gradients[c].size() == needed, "pathwise",
               "the gradient of completion ", c, " has ", gradients[c].size(), " numbers, ",
               lengths[c], " tokens of ", layers, " layers with ", width, " columns need ", needed);
    total += lengths[c];
  }
  for (Index l = 0; l < layers; ++l) {
    std::vector<T> weights(static_cast<std::size_t>(total * width), T(0));
    auto to = weights.begin();
    for (std::size_t c = 0; c < gradients.size(); ++c)
      for (Index t = 0; t < lengths[c]; ++t, to += width)
        if (!gradients[c].empty())
          std::transform(gradients[c].begin() + (t * layers + l) * width,
                         gradients[c].begin() + (t * layers + l + 1) * width, to,
                         [&](float x) { return static_cast<T>(-scale * static_cast<double>(x)); });
    const auto& layer = seen[static_cast<std::size_t>(l)];
    y = add(y, sum(mul(slice(layer, 0, 0, total),
                       Tensor<T, Device>::from({total, width}, std::move(weights)))));
  }
  return y;
}

}  // namespace gaze::rl
