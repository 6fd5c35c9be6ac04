// SPDX-License-Identifier: MIT
// Reverse-mode differentiation in sixty lines, on single numbers and without the library.
//
// A value remembers its inputs and its derivative with respect to each. To differentiate, visit the
// values from newest to oldest and propagate each one's gradient to its inputs: the chain rule,
// once per edge. gaze/autograd.hpp does the same with tensors.
#include <cmath>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace {

struct Node {
  double value = 0, gradient = 0;
  std::vector<std::pair<std::shared_ptr<Node>, double>> made_from;  // and d(this)/d(that)
};
using Value = std::shared_ptr<Node>;

// All values in order of creation. A value is created after its inputs, so this is a topological
// order; in reverse, a node's gradient is complete when it is visited.
std::vector<Value> tape;

Value make(double value, std::vector<std::pair<Value, double>> made_from = {}) {
  tape.push_back(std::make_shared<Node>(Node{value, 0, std::move(made_from)}));
  return tape.back();
}

// Each operation returns its value with its derivatives.
Value operator+(const Value& a, const Value& b) {
  return make(a->value + b->value, {{a, 1.0}, {b, 1.0}});
}
Value operator*(const Value& a, const Value& b) {
  return make(a->value * b->value, {{a, b->value}, {b, a->value}});
}
Value tanh(const Value& a) {
  const double y = std::tanh(a->value);
  return make(y, {{a, 1 - y * y}});
}

void backward(const Value& loss) {
  loss->gradient = 1;
  for (auto node = tape.rbegin(); node != tape.rend(); ++node)
    for (const auto& [from, derivative] : (*node)->made_from)
      from->gradient += (*node)->gradient * derivative;  // += : a value may be used many times
}

}  // namespace

int main() {
  const auto f = [](const Value& x, const Value& w) { return tanh(x * w + w) * w; };
  const Value x = make(0.5), w = make(-0.7);
  const Value y = f(x, w);
  backward(y);
  std::printf("y = tanh(x w + w) w at x = 0.5, w = -0.7:  %.6f\n", y->value);

  // The same derivatives by finite differences: (f(v + h) - f(v - h)) / 2h.
  const double h = 1e-5;
  const double dx = (f(make(0.5 + h), w)->value - f(make(0.5 - h), w)->value) / (2 * h);
  const double dw = (f(x, make(-0.7 + h))->value - f(x, make(-0.7 - h))->value) / (2 * h);
  std::printf("dy/dx  by the chain rule %.8f, by differences %.8f\n", x->gradient, dx);
  std::printf("dy/dw  by the chain rule %.8f, by differences %.8f (w is used three times)\n",
              w->gradient, dw);
  const bool agree = std::abs(x->gradient - dx) < 1e-8 && std::abs(w->gradient - dw) < 1e-8;
  return agree ? 0 : 1;
}
