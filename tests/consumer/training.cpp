// SPDX-License-Identifier: MIT
// The README's program: a Linear learns y = 3 a + 2 b.
#include "gaze/gaze.hpp"

int main() {
  gaze::Parameters<float> parameters;
  gaze::Linear<float, gaze::Cpu> layer(parameters, "layer", "model", 2, 1, true);
  parameters.allocate(/*seed=*/1);
  gaze::AdamW<float> optimiser(parameters, {});
  const auto x = gaze::Tensor<float>::from({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1});
  const auto y = gaze::Tensor<float>::from({4, 1}, {0, 2, 3, 5});
  float last = 1;
  for (int step = 0; step < 2000; ++step) {
    const auto loss = gaze::mean(gaze::square(gaze::sub(layer(x), y)));
    gaze::backward(loss);
    optimiser.step(0.01);
    last = loss.item();
  }
  return last < 0.01f ? 0 : 1;
}
