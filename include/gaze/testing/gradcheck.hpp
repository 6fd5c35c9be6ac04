// SPDX-License-Identifier: MIT
// Gradient checks: backward() against central differences in float64, for any function of several
// tensors. No test framework is needed:
//
//   gaze::testing::require_gradients(
//       "softplus", [](const auto& x) { return softplus(x[0]); },
//       gaze::testing::random_inputs<double>({{3, 4}}));   // throws where the derivative is wrong
//
// A result that is not one number is first multiplied by a random cotangent and summed.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include "gaze/autograd.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/cpu/kernels.hpp"

namespace gaze::testing {

/// Inputs of a function under test, in order.
template <class T, class Device = Cpu>
using Inputs = std::vector<Tensor<T, Device>>;
/// A function under test. It must not change its inputs, and return the same values for the same
/// inputs.
template <class T, class Device = Cpu>
using Function = std::function<Tensor<T, Device>(const Inputs<T, Device>&)>;

/// Multiples of 1/4096 in [low, high): exact in float, so both types see the same numbers.
template <class T>
Tensor<T> random_tensor(const Shape& shape, std::uint64_t seed, double low = -2, double high = 2) {
  const Philox random(seed, Purpose::test);
  Tensor<T> x(shape);
  for (Index i = 0; i < x.numel(); ++i) {
    const double u = random.uniform(0, static_cast<std::uint64_t>(i));
    x.data()[i] = static_cast<T>(std::floor((low + (high - low) * u) * 4096) / 4096);
  }
  return x;
}

/// One random_tensor() per shape.
template <class T>
Inputs<T> random_inputs(const std::vector<Shape>& shapes, double low = -2, double high = 2) {
  Inputs<T> inputs;
  for (const Shape& shape : shapes)
    inputs.push_back(random_tensor<T>(shape, inputs.size() + 1, low, high));
  return inputs;
}

/// A function's result and the gradients of sum(result * cotangent) for all of its inputs.
template <class T, class Device>
struct Evaluated {
  Tensor<T, Device> cotangent, value;
  std::vector<Tensor<T, Device>> gradients;  // undefined where there is none
};

/// Runs f and backward() on copies of the inputs, on the function's device, with a random cotangent
/// by default. Error: f records nothing.
template <class T, class Device = Cpu>
Evaluated<T, Device> evaluate(const Function<T, Device>& f, const Inputs<T>& inputs,
                              const Tensor<T>& cotangent = {}) {
  using Values = Tensor<T, Device>;
  Inputs<T, Device> leaves;
  for (const auto& x : inputs) {
    leaves.push_back(Values::from(x.shape(), x.to_vector()));
    leaves.back().requires_grad();
  }
  Evaluated<T, Device> out;
  const Values y = f(leaves);
  const auto weights = cotangent.defined() ? cotangent : random_tensor<T>(y.shape(), 77, -1, 1);
  out.cotangent = Values::from(y.shape(), weights.to_vector());
  backward(y, out.cotangent);
  out.value = Values::from(y.shape(), y.to_vector());
  for (const auto& x : leaves) out.gradients.push_back(x.grad());
  return out;
}

/// |a - b| relative to max(1, |a|, |b|); infinite if either is NaN.
inline double apart(double a, double b) {
  const double d = std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)});
  return d == d ? d : std::numeric_limits<double>::infinity();
}

/// The gradient element that differs most from central differences.
struct Gradcheck {
  double error = 0;  // apart(backward, differences); 0 if there are no elements
  std::size_t input = 0, element = 0;
  double backward = 0, differences = 0;  // the derivative there, computed both ways

  /// Prints where the element is and both values.
  friend std::ostream& operator<<(std::ostream& out, const Gradcheck& g) {
    return out << "input " << g.input << ", element " << g.element << ": backward " << g.backward
               << ", differences " << g.differences;
  }
};

/// Compares every element of every input's gradient with (f(x + step) - f(x - step)) / (2 step),
/// for inputs of order 1. With the default step the error of a right derivative is below 2e-7.
inline Gradcheck gradcheck(const Function<double>& f, const Inputs<double>& inputs,
                           double step = 1e-5) {
  const auto got = evaluate<double>(f, inputs);
  const auto cotangent = got.cotangent.to_vector();
  Inputs<double> moved;
  for (const auto& x : inputs) moved.push_back(Tensor<double>::from(x.shape(), x.to_vector()));
  const auto weighed = [&] {
    const NoGrad no_grad;
    const auto y = f(moved).to_vector();
    return std::inner_product(y.begin(), y.end(), cotangent.begin(), 0.0);
  };
  Gradcheck worst;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    std::vector<double> gradient(static_cast<std::size_t>(inputs[k].numel()), 0.0);
    if (got.gradients[k].defined()) gradient = got.gradients[k].to_vector();
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      double& x = moved[k].data()[i];
      const double kept = x;
      x = kept + step;
      const double up = weighed();
      x = kept - step;
      const double down = weighed();
      x = kept;
      const double differences = (up - down) / (2 * step);
      const double error = apart(gradient[i], differences);
      if (error > worst.error) worst = {error, k, i, gradient[i], differences};
    }
  }
  return worst;
}

/// Throws an Error with `name`, the element and both values where gradcheck() finds a larger error
/// than `tolerance`.
inline void require_gradients(const std::string& name, const Function<double>& f,
                              const Inputs<double>& inputs, double tolerance = 2e-7) {
  const Gradcheck worst = gradcheck(f, inputs);
  GAZE_CHECK(worst.error < tolerance, "gradcheck", name, ": ", worst);
}

}  // namespace gaze::testing
