// SPDX-License-Identifier: MIT
// The gradient of a reward through the attention that it reads.
//
// A reward R(text, a) that reads the policy's own attention a = a(text, theta) depends on theta
// twice, and so has the gradient of its expectation two terms:
//
//   d E[R] / d theta = E[R d log p(text) / d theta]  +  E[dR/da da/d theta]
//
// The policy gradient is the first alone: it can only choose other texts. The second changes the
// attention of a given text. With a weight w the loss gets
//
//   loss += -w/C sum_c sum_t (dR/da)_ct . a_ct        C: completions of the optimiser step
//
// where dR/da is a constant, taken at the rollout, and a is differentiable. At the first update of
// a rollout this is the second term exactly.
#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/views.hpp"

namespace gaze::rl {

/// -scale sum(slopes * seen), a differentiable scalar. `seen`: per layer [N, width], the first rows
/// those of the completions' tokens, completion by completion; slopes: per completion
/// [token][layer][width], or empty (zeros). `lengths`: tokens of each completion. Throws Error for
/// sizes that do not match.
template <class T, class Device>
Tensor<T, Device> attention_path(const std::vector<Tensor<T, Device>>& seen,
                                 std::span<const std::vector<float>> slopes,
                                 std::span<const Index> lengths, double scale) {
  auto y = Tensor<T, Device>::scalar(T(0));
  GAZE_CHECK(slopes.size() == lengths.size(), "attention_path", slopes.size(), " slopes for ",
             lengths.size(), " completions");
  GAZE_CHECK(!seen.empty(), "attention_path", "the policy observed no attention");
  const auto layers = static_cast<Index>(seen.size()), width = seen.front().size(1);
  Index total = 0;
  for (std::size_t c = 0; c < slopes.size(); ++c) {
    const auto needed = static_cast<std::size_t>(lengths[c] * layers * width);
    GAZE_CHECK(slopes[c].empty() || slopes[c].size() == needed, "attention_path",
               "the slope of completion ", c, " has ", slopes[c].size(), " numbers, ", lengths[c],
               " tokens of ", layers, " layers with ", width, " columns need ", needed);
    total += lengths[c];
  }
  for (Index l = 0; l < layers; ++l) {
    std::vector<T> weights(static_cast<std::size_t>(total * width), T(0));
    auto to = weights.begin();
    for (std::size_t c = 0; c < slopes.size(); ++c)
      for (Index t = 0; t < lengths[c]; ++t, to += width)
        if (!slopes[c].empty())
          std::transform(slopes[c].begin() + (t * layers + l) * width,
                         slopes[c].begin() + (t * layers + l + 1) * width, to,
                         [&](float x) { return static_cast<T>(-scale * static_cast<double>(x)); });
    const auto& layer = seen[static_cast<std::size_t>(l)];
    y = add(y, sum(mul(slice(layer, 0, 0, total),
                       Tensor<T, Device>::from({total, width}, std::move(weights)))));
  }
  return y;
}

}  // namespace gaze::rl
