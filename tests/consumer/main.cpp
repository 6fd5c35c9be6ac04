// SPDX-License-Identifier: MIT
// Uses Gaze like another project: tensors and the model here, a gradient in gradient.cpp.
#include <cstdio>

#include "gaze/gaze.hpp"
#include "gaze/models/vlm.hpp"

gaze::Tensor<float> gradient_of_square(const gaze::Tensor<float>& x);

int main() {
  const auto x = gaze::Tensor<float>::from({2, 2}, {1, 2, 3, 4});
  const auto product = gaze::matmul(x, x).to_vector();
  const auto gradient = gradient_of_square(x).to_vector();
  const bool right =
      product == std::vector<float>{7, 10, 15, 22} && gradient == std::vector<float>{2, 4, 6, 8};
  std::puts(right ? "right" : "wrong");
  return right ? 0 : 1;
}
