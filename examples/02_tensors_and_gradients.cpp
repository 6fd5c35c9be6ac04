// SPDX-License-Identifier: MIT
// Tensors, views, broadcasting, gradients, and errors that are never silent.
#include <cstdio>

#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

void print(const char* name, const Tensor<float>& x) {
  std::printf("%-34s", name);
  for (const float v : x.to_vector()) std::printf(" %6.2f", static_cast<double>(v));
  std::printf("\n");
}

template <class Function>
void print_error(Function f) {
  try {
    f();
  } catch (const Error& e) {
    std::printf("  %s\n", e.what());
  }
}

}  // namespace

int main() {
  // A tensor is a handle: copies and views share the values.
  auto x = Tensor<float>::from({2, 3}, {1, 2, 3, 4, 5, 6});
  print("x [2,3]", x);
  print("permute(x, {1, 0})", permute(x, {1, 0}));
  print("slice(x, 1, 1, 3)", slice(x, 1, 1, 3));
  print("add(x, row), broadcast", add(x, Tensor<float>::from({3}, {10, 20, 30})));

  // From requires_grad() on, operations on x are recorded; backward() fills x.grad().
  x.requires_grad();
  const auto w = Tensor<float>::from({2, 3}, {1, 0, -1, 2, 1, 0});
  const auto y = matmul(x, w, false, true);  // x w^T, [2,2]
  print("y = x w^T", y);
  backward(sum(square(y)));
  print("d sum(y^2) / dx = 2 y w", x.grad());

  // A gradient stays until it is cleared: two passes accumulate.
  backward(sum(x));
  print("after backward(sum(x)): plus 1", x.grad());

  // NoGrad stops recording, and detach() leaves the graph.
  {
    const NoGrad no_grad;
    std::printf("recorded under NoGrad: %s\n", square(x).needs_grad() ? "yes" : "no");
  }
  std::printf("recorded after detach(): %s\n\n", square(x.detach()).needs_grad() ? "yes" : "no");

  // Errors name the operation and the shapes.
  std::printf("refused:\n");
  print_error([&] { matmul(x, w); });
  print_error([&] { add(x, Tensor<float>::zeros({4})); });
  print_error([&] {
    auto a = Tensor<float>::from({2}, {1, 2});
    a.requires_grad();
    const auto loss = sum(square(a));  // backward needs the current values of a
    a.data()[0] = 5;
    a.changed();
    backward(loss);
  });
  print_error([&] {
    const auto loss = sum(square(x));
    backward(loss);
    backward(loss);  // the first pass has freed the graph
  });
}
