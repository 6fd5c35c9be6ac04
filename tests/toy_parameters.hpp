// SPDX-License-Identifier: MIT
// A model of two weights, for tests of the step loop and of checkpoints.
#pragma once
#include <cstdint>
#include <vector>

#include "gaze/core/philox.hpp"
#include "gaze/nn/parameters.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/reduce.hpp"
#include "tests/small_model.hpp"

namespace gaze::test {

/// Two small parts that learn to match a target, which changes with the step.
struct Toy {
  Parameters<float> parameters;
  Parameter<float, Cpu>*w, *v;

  explicit Toy(Index width = 20) {
    w = &parameters.add("w", {3, width}, Init::normal(1), "first");
    v = &parameters.add("v", {7}, Init::normal(1), "second");
    parameters.allocate(5);
  }

  Tensor<float> distance(const Tensor<float>& x, std::uint64_t step) const {
    const Philox random(9, Purpose::test);
    std::vector<float> target;
    for (Index i = 0; i < x.numel(); ++i)
      target.push_back(random.normal(step, static_cast<std::uint64_t>(i)));
    return mean(square(sub(x, Tensor<float>::from(x.shape(), target))));
  }

  std::vector<std::uint32_t> weights() const {
    auto out = bits(w->value);
    const auto more = bits(v->value);
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
};

}  // namespace gaze::test
