// SPDX-License-Identifier: MIT
// An operation of one's own: forward, derivative, and the check of the derivative.
//
// softcap(x, c) = c tanh(x / c) is the identity near 0 and never leaves (-c, c); Gemma 2 limits its
// logits with it. With y the result, dx = dy (1 - (y / c)^2).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

template <class T>
Tensor<T> softcap(const Tensor<T>& input, T c) {
  GAZE_CHECK(c > 0, "softcap", "the cap must be above 0, got ", c);
  const auto x = contiguous(input);
  Tensor<T> y(x.shape());
  for (Index i = 0; i < x.numel(); ++i) y.data()[i] = c * std::tanh(x.data()[i] / c);
  if (recorded(x))
    record(
        "softcap", y,
        [c, y = Saved("softcap", y), to = x.node()](const auto& dy) {
          Tensor<T> dx(dy.shape());
          for (Index i = 0; i < dx.numel(); ++i) {
            const T share = y.data()[i] / c;
            dx.data()[i] = dy.data()[i] * (1 - share * share);
          }
          to->take(std::move(dx));
        },
        x);
  return y;
}

/// A loss that uses the operation twice, so that gradients must add up.
Tensor<double> loss(const Tensor<double>& x) {
  return sum(mul(softcap(x, 2.0), softcap(scale(x, 0.5), 3.0)));
}

/// The largest difference between backward() and (f(x + h) - f(x - h)) / 2h.
double gradient_error(const std::vector<double>& at) {
  const Shape shape{static_cast<Index>(at.size())};
  auto x = Tensor<double>::from(shape, at);
  x.requires_grad();
  backward(loss(x));
  const auto grad = x.grad().to_vector();
  double worst = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double h = 1e-5;
    auto up = at, down = at;
    up[i] += h;
    down[i] -= h;
    const double difference = (loss(Tensor<double>::from(shape, up)).item() -
                               loss(Tensor<double>::from(shape, down)).item()) /
                              (2 * h);
    std::printf("x %5.2f   backward %9.6f   differences %9.6f\n", at[i], grad[i], difference);
    worst = std::max(worst, std::abs(grad[i] - difference));
  }
  return worst;
}

}  // namespace

int main() {
  const double error = gradient_error({-6, -1.5, 0, 0.3, 2, 6});
  std::printf("largest difference below 1e-8: %s\n\n", error < 1e-8 ? "yes" : "no");

  // A saved value that is changed before backward is an error, not a wrong gradient.
  try {
    auto x = Tensor<double>::from({2}, {1, 2});
    x.requires_grad();
    auto y = softcap(x, 2.0);
    const auto total = sum(y);
    y.data()[0] = 0;
    y.changed();
    backward(total);
  } catch (const Error& e) {
    std::printf("%s\n", e.what());
  }
  return error < 1e-8 ? 0 : 1;
}
