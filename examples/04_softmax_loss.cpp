// SPDX-License-Identifier: MIT
// From a formula to C++: the loss of a classifier, L = mean over rows of log sum_j e^z_j - z_t.
//
// Three ways to compute it and its derivative: composed from operations of the library, as one
// operation with the derivative from chapter 4 of the book, and the library's cross_entropy.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gaze/gaze.hpp"
#include "gaze/ops/losses.hpp"

using namespace gaze;

namespace {

/// Composed: right, but e^z overflows, and every intermediate [N, V] is stored for backward.
template <class T>
Tensor<T> composed_loss(const Tensor<T>& z, const Indices<Cpu>& target) {
  const auto lse = log(sum(exp(z), 1));  // [N, 1]
  const auto chosen = gather(z, 1, reshape(target, {z.size(0), 1}));
  return mean(sub(lse, chosen));
}

/// One row of logits: softmax(z) into p, log sum e^z as the result.
template <class T>
T softmax_row(Index v, const T* z, T* p) {
  const T top = *std::max_element(z, z + v);
  T total = 0;
  for (Index j = 0; j < v; ++j) total += p[j] = std::exp(z[j] - top);
  for (Index j = 0; j < v; ++j) p[j] /= total;
  return top + std::log(total);
}

/// As one operation: z [N, V], target [N]. dz = dloss (p - onehot(target)) / N.
template <class T>
Tensor<T> softmax_loss(const Tensor<T>& input, const Indices<Cpu>& target) {
  const auto z = contiguous(input);
  const Index n = z.size(0), v = z.size(1);
  Tensor<T> p({n, v});
  T total = 0;
  for (Index r = 0; r < n; ++r) {
    const T lse = softmax_row(v, z.data() + r * v, p.data() + r * v);
    total += lse - z.data()[r * v + target.data()[r]];
  }
  auto y = Tensor<T>::scalar(total / static_cast<T>(n));
  if (recorded(z))
    record(
        "softmax_loss", y,
        [=, p = Saved("softmax_loss", p), to = z.node()](const auto& dy) {
          Tensor<T> dz({n, v});
          const T factor = dy.item() / static_cast<T>(n);
          for (Index r = 0; r < n; ++r)
            for (Index j = 0; j < v; ++j) {
              const T hit = j == target.data()[r] ? T(1) : T(0);
              dz.data()[r * v + j] = factor * (p.data()[r * v + j] - hit);
            }
          to->take(std::move(dz));
        },
        z);
  return y;
}

/// The loss and its gradient, printed and returned.
template <class Loss>
std::vector<double> run(const char* name, Loss loss, const std::vector<double>& logits) {
  auto z = Tensor<double>::from({2, 3}, logits);
  z.requires_grad();
  const auto y = loss(z, Indices<Cpu>::from({2}, {2, 0}));
  backward(y);
  std::printf("%-14s %9.6f  ", name, y.item());
  for (const double g : z.grad().to_vector()) std::printf(" %9.6f", g);
  std::printf("\n");
  return z.grad().to_vector();
}

}  // namespace

int main() {
  double worst = 0;
  for (const double large : {2.0, 1000.0}) {
    const std::vector<double> logits = {0.5, -1, large, 1, 1, -2};
    std::printf("logits up to %g: loss, then its gradient by each logit\n", large);
    run("composed", composed_loss<double>, logits);
    const auto ours = run("one operation", softmax_loss<double>, logits);
    const auto theirs = run("cross_entropy", cross_entropy<double, Cpu>, logits);
    for (std::size_t i = 0; i < ours.size(); ++i)
      worst = std::max(worst, std::abs(ours[i] - theirs[i]));
  }
  return worst < 1e-12 ? 0 : 1;
}
