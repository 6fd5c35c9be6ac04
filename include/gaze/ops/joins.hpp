// SPDX-License-Identifier: MIT
// Operations that join or enlarge tensors: stack, repeat, pad. (concatenate: views.hpp.)
#pragma once
#include "gaze/ops/views.hpp"

namespace gaze {

/// Tensors of one shape joined along a new dimension, which becomes dimension `dimension` of the
/// result (-1: the last); each receives its slice of dy.
template <class T, class Device>
Tensor<T, Device> stack(const std::vector<Tensor<T, Device>>& parts, int dimension) {
  GAZE_CHECK(!parts.empty(), "stack", "no tensors");
  for (const auto& x : parts) detail::check_defined("stack", x);
  const Shape& common = parts.front().shape();
  const int rank = common.rank(), d = dimension < 0 ? dimension + rank + 1 : dimension;
  GAZE_CHECK(d >= 0 && d <= rank && rank < Shape::max_rank, "stack", "a new dimension ", dimension,
             " in ", common);
  Shape shape = Shape::filled(rank + 1, 1);
  for (int i = 0; i < rank; ++i) shape[i < d ? i : i + 1] = common[i];
  std::vector<Tensor<T, Device>> slices;
  for (const auto& x : parts) {
    GAZE_CHECK(x.shape() == common, "stack", "shapes differ: ", common, " and ", x.shape());
    slices.push_back(reshape(x, shape));
  }
  return concatenate(slices, d);
}

/// x repeated `times[d]` times along each dimension d; additional times add dimensions in front; dx
/// is the sum over the copies.
template <class T, class Device>
Tensor<T, Device> repeat(const Tensor<T, Device>& x, const Shape& times) {
  detail::check_defined("repeat", x);
  GAZE_CHECK(times.rank() >= x.rank(), "repeat", times, " times for shape ", x.shape());
  Shape shape = Shape::filled(times.rank(), 1);
  for (int i = 1; i <= x.rank(); ++i) shape[shape.rank() - i] = x.shape().at(-i);
  Tensor<T, Device> y = reshape(x, shape);
  for (int d = 0; d < times.rank(); ++d) {
    GAZE_CHECK(times[d] >= 0, "repeat", times, " times for shape ", x.shape());
    if (times[d] == 1) continue;
    Index before = 1, after = 1;
    for (int i = 0; i < shape.rank(); ++i) (i < d ? before : after) *= shape[i];
    shape[d] = checked_product("repeat", shape[d], times[d]);
    shape.numel("repeat");
    y = reshape(expand(reshape(y, {before, 1, after}), {before, times[d], after}), shape);
  }
  return y;
}

/// x with before[d] elements of `value` in front and after[d] behind in dimension d; dx is the
/// middle of dy.
template <class T, class Device>
Tensor<T, Device> pad(const Tensor<T, Device>& x, const Shape& before, const Shape& after,
                      std::type_identity_t<T> value = 0) {
  detail::check_defined("pad", x);
  bool valid = before.rank() == x.rank() && after.rank() == x.rank();
  for (int d = 0; valid && d < x.rank(); ++d) valid = before[d] >= 0 && after[d] >= 0;
  GAZE_CHECK(valid, "pad", "by ", before, " and ", after, " around ", x.shape());
  Shape shape = x.shape();
  Index first = 0;
  for (int d = 0; d < x.rank(); ++d)
    shape[d] = checked_sum("pad", shape[d], checked_sum("pad", before[d], after[d]));
  shape.numel("pad");
  Tensor<T, Device> y(shape);
  Kernels<Device>::fill(y.numel(), value, y.data());
  for (int d = 0; d < x.rank(); ++d) first += before[d] * y.strides()[d];
  const auto from = contiguous(x.detach());
  Kernels<Device>::copy_to_strided(from.shape(), from.data(), y.data() + first, y.strides());
  if (recorded(x))
    record(
        "pad", y,
        [before, to = x.node()](const auto& dy) {
          Tensor<T, Device> middle = dy;
          for (int d = 0; d < before.rank(); ++d)
            middle = slice(middle, d, before[d], before[d] + to->shape[d]);
          to->add(contiguous(middle));
        },
        x);
  return y;
}

}  // namespace gaze
