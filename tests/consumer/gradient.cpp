// SPDX-License-Identifier: MIT
// The second translation unit: d(sum x^2)/dx.
#include "gaze/gaze.hpp"
#include "gaze/models/vlm.hpp"

gaze::Tensor<float> gradient_of_square(const gaze::Tensor<float>& x) {
  auto leaf = x.detach();
  leaf.requires_grad();
  gaze::backward(gaze::sum(gaze::square(leaf)));
  return leaf.grad();
}
