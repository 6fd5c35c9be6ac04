// SPDX-License-Identifier: MIT
// Exercise 9: the clipped objective of one token, min(r A, clip(r, 0.8, 1.28) A), and its
// derivative with respect to the log-probability (r = e^(logp - old), so dr/dlogp = r).
#include "docs/book/exercises/check.hpp"
#include "gaze/gaze.hpp"
#include "gaze/rl/policy_loss.hpp"

using namespace gaze;

namespace {

struct Objective {
  double value, by_logp;
};

Objective clipped(double r, double advantage) {
  // YOUR CODE: begin
  return {r * advantage, r * advantage};
  // YOUR CODE: end
}

}  // namespace

int main() {
  exercise::Check check;
  rl::LossSettings settings;
  settings.clip_low = 0.2;
  settings.clip_high = 0.28;
  for (const double advantage : {1.0, -0.5})
    for (const double r : {0.5, 0.79, 0.9, 1.0, 1.27, 1.3, 2.0}) {
      auto logp = Tensor<double>::from({1}, {std::log(r)});
      logp.requires_grad();
      rl::LossInputs in;
      in.lengths = {1};
      in.advantages = {advantage};
      in.old = {0};
      const auto loss = policy_loss(logp, in, settings, loss_totals(in, settings));
      backward(loss);
      const Objective got = clipped(r, advantage);
      check.near("objective", got.value, -loss.item());
      check.near("derivative", got.by_logp, -logp.grad().to_vector()[0]);
    }
  return check.verdict();
}
