// SPDX-License-Identifier: MIT
// Exercise 10: the derivative of an attention reward, for the pathwise gradient. With the attention
// a on the picture and u of uniform attention, lift = a / u and the reward is lift / (1 + lift),
// which cannot run away. Give dR/da.
#include "docs/book/exercises/check.hpp"

namespace {

double reward(double a, double u) { return a / u / (1 + a / u); }

double reward_gradient(double a, double u) {
  // YOUR CODE: begin
  return a / u;
  // YOUR CODE: end
}

}  // namespace

int main() {
  exercise::Check check;
  const double h = 1e-6;
  for (const double u : {0.05, 0.5})
    for (const double a : {0.01, 0.2, 0.9})
      check.near("dR/da", reward_gradient(a, u), (reward(a + h, u) - reward(a - h, u)) / (2 * h));
  return check.verdict();
}
