// SPDX-License-Identifier: MIT
// Exercise 4: the derivative of RMS normalisation without a weight. For one row x [C]:
//
//   y_j = s x_j,  s = 1 / sqrt(mean(x^2) + eps)
//
// Given x, s and dy, compute dx. Every y_j depends on every x_i through s.
#include <vector>

#include "docs/book/exercises/check.hpp"
#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

std::vector<double> norm_gradient(const std::vector<double>& x, double s,
                                  const std::vector<double>& dy) {
  std::vector<double> dx(x.size());
  // YOUR CODE: begin
  for (std::size_t j = 0; j < x.size(); ++j) dx[j] = s * dy[j];
  // YOUR CODE: end
  return dx;
}

}  // namespace

int main() {
  exercise::Check check;
  const double eps = 1e-5;
  const std::vector<double> values = {0.5, -1.2, 2, 0.1}, dy = {1, -0.3, 0.2, 0.7};
  auto x = Tensor<double>::from({1, 4}, values);
  x.requires_grad();
  const auto one = Tensor<double>::from({4}, {1, 1, 1, 1});
  backward(rms_norm(x, one, eps), Tensor<double>::from({1, 4}, dy));
  double squares = 0;
  for (const double v : values) squares += v * v;
  const auto got = norm_gradient(values, 1 / std::sqrt(squares / 4 + eps), dy);
  const auto want = x.grad().to_vector();
  for (std::size_t j = 0; j < want.size(); ++j) check.near("dx", got[j], want[j]);
  return check.verdict();
}
