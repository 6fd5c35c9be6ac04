// SPDX-License-Identifier: MIT
// A gradient case: a function of tensors of any type and device, with the shapes of its inputs. It
// runs in double against finite differences and PyTorch, in float against double, and, with
// GAZE_OPS_ON_CUDA, on Cuda against the CPU.
#pragma once
#include "gaze/ops/rows.hpp"
#include "tests/gradcheck.hpp"

namespace gaze::test {

struct OpCase {
  std::string op, what;
  std::vector<Shape> shapes;
  double low, high;  // of the inputs' elements
  Function<double> wide;
  Function<float> narrow;
#ifdef GAZE_OPS_ON_CUDA
  Function<double, Cuda> cuda_wide;
  Function<float, Cuda> cuda_narrow;
#endif

  std::string name() const { return op + "/" + what; }
};

using OpCases = std::vector<OpCase>;

/// A constant of the inputs' type.
template <class T, class Device>
T constant(const Inputs<T, Device>&, double value) {
  return static_cast<T>(value);
}

/// y on the device of the inputs: the same view of a copy of its memory.
template <class T, class Device, class U>
Tensor<U, Device> beside(const Inputs<T, Device>&, const Tensor<U, Cpu>& y) {
  Index last = 0;
  for (int d = 0; d < y.rank(); ++d) last += (y.shape()[d] - 1) * y.strides()[d];
  const Index n = y.numel() > 0 ? last + 1 : 0;
  return Tensor<U, Device>::from({n}, std::vector<U>(y.data(), y.data() + n))
      .view(0, y.shape(), y.strides());
}

/// The values in this shape with a filler after each one: a non-contiguous view.
inline Indices<Cpu> spread(const Shape& shape, const std::vector<std::int32_t>& values) {
  std::vector<std::int32_t> twice;
  for (const std::int32_t v : values) twice.insert(twice.end(), {v, -1000});
  Shape strides = contiguous_strides(shape);
  for (int d = 0; d < strides.rank(); ++d) strides[d] *= 2;
  return indices(twice).view(0, shape, strides);
}

template <class F>
void add_case(OpCases& to, const std::string& op, const std::string& what,
              std::vector<Shape> shapes, F f, double low = -2, double high = 2) {
#ifdef GAZE_OPS_ON_CUDA
  to.push_back({op, what, std::move(shapes), low, high, f, f, f, f});
#else
  to.push_back({op, what, std::move(shapes), low, high, f, f});
#endif
}

}  // namespace gaze::test
