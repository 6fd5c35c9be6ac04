// SPDX-License-Identifier: MIT
// Gradient checks: backward() against central differences in float64, for any function of several
// tensors. A non-scalar result is first multiplied by a random cotangent.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "gaze/autograd.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/cpu/kernels.hpp"
#include "tests/test.hpp"

namespace gaze::test {

/// Inputs of a function under test, in order.
template <class T, class Device = Cpu>
using Inputs = std::vector<Tensor<T, Device>>;
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

template <class T>
Inputs<T> random_inputs(const std::vector<Shape>& shapes, double low = -2, double high = 2) {
  Inputs<T> inputs;
  for (const Shape& shape : shapes)
    inputs.push_back(random_tensor<T>(shape, inputs.size() + 1, low, high));
  return inputs;
}

/// A leaf of the graph with these elements.
inline Tensor<double> leaf(const Shape& shape, const std::vector<double>& values) {
  auto x = Tensor<double>::from(shape, values);
  x.requires_grad();
  return x;
}

inline Indices<Cpu> indices(const std::vector<std::int32_t>& values) {
  return Indices<Cpu>::from({static_cast<Index>(values.size())}, values);
}

/// A function's result and the gradients of sum(result * cotangent) for all of its inputs.
template <class T, class Device>
struct Evaluated {
  Tensor<T, Device> cotangent, value;
  std::vector<Tensor<T, Device>> gradients;  // undefined where there is none
};

/// Runs f and backward() on copies of the inputs, on the function's device, with a random cotangent
/// by default.
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
  return d == d ? d : HUGE_VAL;
}

/// The largest apart() of two tensors' elements; shapes must agree.
template <class A, class B, class DeviceA, class DeviceB>
double distance(const Tensor<A, DeviceA>& a, const Tensor<B, DeviceB>& b) {
  CHECK(a.shape() == b.shape());
  if (!(a.shape() == b.shape())) return HUGE_VAL;
  const auto x = a.to_vector();
  const auto y = b.to_vector();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    worst = std::max(worst, apart(static_cast<double>(x[i]), static_cast<double>(y[i])));
  return worst;
}

/// sum(f(inputs) * cotangent), not recorded.
inline double weighed(const Function<double>& f, const Inputs<double>& inputs,
                      const std::vector<double>& cotangent) {
  const NoGrad no_grad;
  const auto y = f(inputs).to_vector();
  double total = 0;
  for (std::size_t i = 0; i < y.size(); ++i) total += y[i] * cotangent[i];
  return total;
}

/// Describes the first gradient element of f that differs from central differences: input, element
/// and both values. Empty if all agree.
inline std::string gradient_error(const Function<double>& f, const Inputs<double>& inputs,
                                  double tolerance = 2e-7) {
  const auto got = evaluate<double>(f, inputs);
  const auto cotangent = got.cotangent.to_vector();
  Inputs<double> moved;
  for (const auto& x : inputs) moved.push_back(Tensor<double>::from(x.shape(), x.to_vector()));
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    std::vector<double> gradient(static_cast<std::size_t>(inputs[k].numel()), 0.0);
    if (got.gradients[k].defined()) gradient = got.gradients[k].to_vector();
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      constexpr double h = 1e-5;
      double& x = moved[k].data()[i];
      const double kept = x;
      x = kept + h;
      const double up = weighed(f, moved, cotangent);
      x = kept - h;
      const double down = weighed(f, moved, cotangent);
      x = kept;
      const double expected = (up - down) / (2 * h);
      if (apart(gradient[i], expected) < tolerance) continue;
      std::ostringstream out;  // one element is enough
      out << "input " << k << ", element " << i << ": backward " << gradient[i] << ", differences "
          << expected;
      return out.str();
    }
  }
  return "";
}

/// Checks every element of every input's gradient; a failure names the operation.
inline void gradcheck(const std::string& op, const Function<double>& f,
                      const Inputs<double>& inputs, double tolerance = 2e-7) {
  INFO(op);
  CHECK(gradient_error(f, inputs, tolerance) == "");
}

}  // namespace gaze::test
