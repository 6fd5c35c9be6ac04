// SPDX-License-Identifier: MIT
// Exercise 7: the step of an online softmax. A row's keys come in blocks; what is kept of the
// blocks before is the greatest score, total = sum e^(score - top), and mean = sum e^(score - top)
// value. Add a block. A greater score than before changes what total and mean are relative to.
#include <vector>

#include "docs/book/exercises/check.hpp"
#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

struct Running {
  double top = -1e300, total = 0, mean = 0;
};

void add_block(Running& row, const std::vector<double>& scores, const std::vector<double>& values) {
  // YOUR CODE: begin
  for (std::size_t i = 0; i < scores.size(); ++i) {
    row.total += std::exp(scores[i]);
    row.mean += std::exp(scores[i]) * values[i];
  }
  // YOUR CODE: end
}

}  // namespace

int main() {
  exercise::Check check;
  const std::vector<double> scores = {900, 905, 2, 910, 899, 3}, values = {1, -2, 5, 3, 0.5, 7};
  Running row;
  for (std::size_t i = 0; i < 6; i += 2)
    add_block(row, {scores[i], scores[i + 1]}, {values[i], values[i + 1]});
  const auto p = softmax(Tensor<double>::from({1, 6}, scores), 1);
  check.near("softmax(scores) values", row.mean / row.total,
             sum(mul(p, Tensor<double>::from({1, 6}, values))).item());
  return check.verdict();
}
