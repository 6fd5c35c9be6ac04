// SPDX-License-Identifier: MIT
// Exercise 6: one step of AdamW for one number, without clipping (gaze/optim/adamw.hpp has the
// formula). As it stands it is plain gradient descent.
#include "docs/book/exercises/check.hpp"
#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

constexpr double beta1 = 0.9, beta2 = 0.98, eps = 1e-8, decay = 0.01;

struct Moments {
  double m = 0, v = 0;
};

/// The new weight at step t = 1, 2, ...; updates the moments.
double step(double w, double g, Moments& moments, double rate, int t) {
  // YOUR CODE: begin
  moments.m = t * g;
  return w - rate * g;
  // YOUR CODE: end
}

}  // namespace

int main() {
  exercise::Check check;
  Parameters<double> parameters;
  auto& weight = parameters.add("w", {1, 1}, Init::ones(), "model");  // matrices are decayed
  parameters.allocate(0);
  AdamW<double> optimiser(
      parameters, {.beta1 = beta1, .beta2 = beta2, .eps = eps, .weight_decay = decay, .clip = 0});
  double w = 1;
  Moments moments;
  for (int t = 1; t <= 4; ++t) {
    backward(sum(square(weight.value)));  // the gradient is 2 w
    optimiser.step(0.1);
    w = step(w, 2 * w, moments, 0.1, t);
    check.near("weight", w, weight.value.to_vector()[0]);
  }
  return check.verdict();
}
