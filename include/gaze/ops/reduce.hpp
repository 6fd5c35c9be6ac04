// SPDX-License-Identifier: MIT
// Sums and means, over everything or over one dimension.
#pragma once
#include "gaze/ops/elementwise.hpp"

namespace gaze {

/// The sum of all elements, shape []. Fixed order: the same bits at any number of threads.
template <class T, class Device>
Tensor<T, Device> sum(const Tensor<T, Device>& input) {
  const auto x = contiguous(input);
  auto y = Tensor<T, Device>::scalar(
      static_cast<T>(Kernels<Device>::sum(x.numel(), static_cast<const T*>(x.data()))));
  if (recorded(x))
    record(
        "sum", y,
        [to = x.node()](const auto& dy) {
          Tensor<T, Device> g(to->shape);
          Kernels<Device>::fill(g.numel(), dy.item(), g.data());
          to->take(std::move(g));
        },
        x);
  return y;
}

/// The sum along one dimension, which stays with size 1.
template <class T, class Device>
Tensor<T, Device> sum(const Tensor<T, Device>& input, int dimension) {
  const auto x = contiguous(input);
  Shape shape = x.shape();
  const int d = dimension < 0 ? dimension + x.rank() : dimension;
  GAZE_CHECK(d >= 0 && d < x.rank(), "sum", "dimension ", dimension, " of ", x.shape());
  shape[d] = 1;
  auto y = Tensor<T, Device>::zeros(shape);
  Kernels<Device>::add_strided(x.shape(), static_cast<const T*>(x.data()), y.data(),
                               broadcast_strides(shape, contiguous_strides(shape), x.shape()));
  if (recorded(x))
    record(
        "sum", y,
        [to = x.node()](const auto& dy) { to->add(contiguous(expand(dy, to->shape))); }, x);
  return y;
}

/// The mean of all elements, shape [].
template <class T, class Device>
Tensor<T, Device> mean(const Tensor<T, Device>& x) {
  GAZE_CHECK(x.numel() > 0, "mean", "of no elements: shape ", x.shape());
  return scale(sum(x), T(1) / static_cast<T>(x.numel()));
}

}  // namespace gaze
