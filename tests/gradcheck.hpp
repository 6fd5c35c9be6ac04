// SPDX-License-Identifier: MIT
// The gradient checks of gaze/testing/ with Catch's messages, and short ways to make tensors.
#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gaze/testing/gradcheck.hpp"
#include "tests/test.hpp"

namespace gaze::test {

using namespace gaze::testing;

/// A leaf of the graph with these elements.
inline Tensor<double> leaf(const Shape& shape, const std::vector<double>& values) {
  auto x = Tensor<double>::from(shape, values);
  x.requires_grad();
  return x;
}

inline Indices<Cpu> indices(const std::vector<std::int32_t>& values) {
  return Indices<Cpu>::from({static_cast<Index>(values.size())}, values);
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

/// Checks every element of every input's gradient; a failure names the operation.
inline void gradcheck(const std::string& op, const Function<double>& f,
                      const Inputs<double>& inputs, double tolerance = 2e-7) {
  const Gradcheck worst = testing::gradcheck(f, inputs);
  INFO(op << ", " << worst);
  CHECK(worst.error < tolerance);
}

}  // namespace gaze::test
