// SPDX-License-Identifier: MIT
// What a gradient case is: a function of tensors of any type with the shapes of its inputs. It runs
// in double against finite differences and PyTorch, and in float against double.
#pragma once
#include "gaze/ops/rows.hpp"
#include "tests/gradcheck.hpp"

namespace gaze::test {

struct Case {
  std::string op, what;
  std::vector<Shape> shapes;
  double low, high;  // of the inputs' elements
  Function<double> wide;
  Function<float> narrow;

  std::string name() const { return op + "/" + what; }
};

using Cases = std::vector<Case>;

/// A constant of the inputs' type.
template <class T>
T constant(const Inputs<T>&, double value) {
  return static_cast<T>(value);
}

inline Indices<Cpu> indices(const std::vector<std::int32_t>& values) {
  return Indices<Cpu>::from({static_cast<Index>(values.size())}, values);
}

/// The same numbers of any shape, with another one after each: a view without contiguous memory.
inline Indices<Cpu> spread(const Shape& shape, const std::vector<std::int32_t>& values) {
  std::vector<std::int32_t> twice;
  for (const std::int32_t v : values) twice.insert(twice.end(), {v, -1000});
  Shape strides = contiguous_strides(shape);
  for (int d = 0; d < strides.rank(); ++d) strides[d] *= 2;
  return indices(twice).view(0, shape, strides);
}

template <class F>
void add_case(Cases& to, const std::string& op, const std::string& what, std::vector<Shape> shapes,
              F f, double low = -2, double high = 2) {
  to.push_back({op, what, std::move(shapes), low, high, f, f});
}

}  // namespace gaze::test
