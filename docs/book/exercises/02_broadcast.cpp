// SPDX-License-Identifier: MIT
// Exercise 2: y = x + bias, with a bias [C] added to every row of x [N, C]. Each element of the
// bias is used N times. Given dy [N, C], compute dbias [C].
#include <vector>

#include "docs/book/exercises/check.hpp"
#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

std::vector<double> bias_gradient(Index n, Index c, const std::vector<double>& dy) {
  std::vector<double> dbias(static_cast<std::size_t>(c), 0.0);
  // YOUR CODE: begin
  for (Index i = 0; i < n * c; ++i) dbias[0] += dy[static_cast<std::size_t>(i)];
  // YOUR CODE: end
  return dbias;
}

}  // namespace

int main() {
  exercise::Check check;
  const Philox random(2, Purpose::test);
  for (const Index n : {1, 5}) {
    const Index c = 3;
    std::vector<double> dy;
    for (std::uint64_t i = 0; i < std::uint64_t(n * c); ++i) dy.push_back(random.normal(i, 0));
    auto bias = Tensor<double>::zeros({c});
    bias.requires_grad();
    backward(add(Tensor<double>::zeros({n, c}), bias), Tensor<double>::from({n, c}, dy));
    const auto want = bias.grad().to_vector(), got = bias_gradient(n, c, dy);
    for (std::size_t j = 0; j < want.size(); ++j) check.near("dbias", got[j], want[j]);
  }
  return check.verdict();
}
