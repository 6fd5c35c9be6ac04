// SPDX-License-Identifier: MIT
// Views and their derivatives: reshape, permute, slice, expand, contiguous, concatenate.
//
// reshape (of contiguous values), permute, slice and expand share the values of their input. Their
// derivative adds through the same view of the gradient, which is always contiguous.
#pragma once
#include "gaze/autograd.hpp"

namespace gaze {

/// The same values, row-major without gaps, x itself when it already is; dx = dy.
template <class T, class Device>
Tensor<T, Device> contiguous(const Tensor<T, Device>& x) {
  detail::check_defined("contiguous", x);
  if (x.contiguous()) return x;
  Tensor<T, Device> y(x.shape());
  Kernels<Device>::copy_strided(x.shape(), x.data(), x.strides(), y.data());
  if (recorded(x))
    record(
        "contiguous", y, [to = x.node()](const auto& dy) { to->add(dy); }, x);
  return y;
}

namespace detail {
/// contiguous() of an optional input.
template <class T, class Device>
Tensor<T, Device> contiguous_or_none(const Tensor<T, Device>& x) {
  return x.defined() ? contiguous(x) : x;
}
}  // namespace detail

/// The same values in row-major order under another shape; dx = dy in x's shape. One size may be
/// -1: it follows from the others.
template <class T, class Device>
Tensor<T, Device> reshape(const Tensor<T, Device>& input, Shape shape) {
  detail::check_defined("reshape", input);
  int open = -1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != -1) continue;
    GAZE_CHECK(open < 0, "reshape", "more than one -1 in ", shape);
    open = i;
  }
  if (open >= 0) {
    shape[open] = 1;
    const Index known = shape.numel("reshape");
    shape[open] = known ? input.numel() / known : 0;
  }
  GAZE_CHECK(shape.numel("reshape") == input.numel(), "reshape", input.shape(), " has ",
             input.numel(), " elements, ", shape, " has ", shape.numel());
  const Tensor<T, Device> x = contiguous(input);
  Tensor<T, Device> y = x.view(0, shape, contiguous_strides(shape));
  if (recorded(x))
    record(
        "reshape", y,
        [to = x.node()](const auto& dy) {
          to->add(dy.view(0, to->shape, contiguous_strides(to->shape)));
        },
        x);
  return y;
}

namespace detail {
/// Adds dy to x's gradient, seen with these strides and offset.
template <class T, class Device>
void add_through_view(GradNode<T, Device>& to, const Tensor<GradOf<T>, Device>& dy, Index offset,
                      const Shape& strides) {
  Kernels<Device>::add_strided(dy.shape(), dy.data(), to.accumulator() + offset, strides);
}
}  // namespace detail

/// Dimension k of y is dimension order[k] of x; dx is dy with its dimensions back in place.
template <class T, class Device>
Tensor<T, Device> permute(const Tensor<T, Device>& x, const Shape& order) {
  detail::check_defined("permute", x);
  GAZE_CHECK(order.rank() == x.rank(), "permute", "order ", order, " for shape ", x.shape());
  Shape shape = x.shape(), strides = shape, grad_strides = shape;
  const Shape dense = contiguous_strides(x.shape());
  unsigned seen = 0;
  for (int i = 0; i < order.rank(); ++i) {
    const int from = static_cast<int>(order[i]);
    GAZE_CHECK(from >= 0 && from < x.rank() && !(seen >> from & 1), "permute", "order ", order,
               " is not a permutation");
    seen |= 1u << from;
    shape[i] = x.shape()[from];
    strides[i] = x.strides()[from];
    grad_strides[i] = dense[from];
  }
  Tensor<T, Device> y = x.view(0, shape, strides);
  if (recorded(x))
    record(
        "permute", y,
        [to = x.node(), grad_strides](const auto& dy) {
          detail::add_through_view(*to, dy, 0, grad_strides);
        },
        x);
  return y;
}

/// Elements [begin, end) along one dimension; dx is dy there, 0 elsewhere.
template <class T, class Device>
Tensor<T, Device> slice(const Tensor<T, Device>& x, int dimension, Index begin, Index end) {
  detail::check_defined("slice", x);
  const int d = dimension < 0 ? dimension + x.rank() : dimension;
  GAZE_CHECK(d >= 0 && d < x.rank() && 0 <= begin && begin <= end && end <= x.shape()[d], "slice",
             "[", begin, ",", end, ") of dimension ", dimension, " of ", x.shape());
  Shape shape = x.shape();
  shape[d] = end - begin;
  Tensor<T, Device> y = x.view(begin * x.strides()[d], shape, x.strides());
  if (recorded(x)) {
    const Shape dense = contiguous_strides(x.shape());
    record(
        "slice", y,
        [to = x.node(), dense, offset = begin * dense[d]](const auto& dy) {
          detail::add_through_view(*to, dy, offset, dense);
        },
        x);
  }
  return y;
}

/// x broadcast to `shape`, without a copy; dx is the sum of dy over the stretched dimensions.
template <class T, class Device>
Tensor<T, Device> expand(const Tensor<T, Device>& x, const Shape& shape) {
  detail::check_defined("expand", x);
  GAZE_CHECK(broadcast(x.shape(), shape, "expand") == shape, "expand", x.shape(),
             " does not stretch to ", shape);
  Tensor<T, Device> y = x.view(0, shape, broadcast_strides(x.shape(), x.strides(), shape));
  if (recorded(x)) {
    const Shape sum = broadcast_strides(x.shape(), contiguous_strides(x.shape()), shape);
    record(
        "expand", y,
        [to = x.node(), sum](const auto& dy) { detail::add_through_view(*to, dy, 0, sum); }, x);
  }
  return y;
}

/// Tensors joined along a dimension; each receives its slice of dy.
template <class T, class Device>
Tensor<T, Device> concatenate(const std::vector<Tensor<T, Device>>& parts, int dimension) {
  GAZE_CHECK(!parts.empty(), "concatenate", "no tensors");
  for (const auto& x : parts) detail::check_defined("concatenate", x);
  Shape shape = parts.front().shape();
  const int d = dimension < 0 ? dimension + shape.rank() : dimension;
  GAZE_CHECK(d >= 0 && d < shape.rank(), "concatenate", "dimension ", dimension, " of ", shape);
  shape[d] = 0;
  bool wanted = false;
  for (const auto& x : parts) {
    Shape other = x.shape();
    const Index size = other.rank() == shape.rank() ? other[d] : -1;
    if (size >= 0) other[d] = shape[d];
    GAZE_CHECK(other == shape, "concatenate", "shapes differ beside dimension ", d, ": ",
               parts.front().shape(), " and ", x.shape());
    shape[d] = checked_sum("concatenate", shape[d], size);
    wanted = wanted || recorded(x);
  }
  Tensor<T, Device> y(shape);
  std::vector<std::shared_ptr<GradNode<T, Device>>> to;
  std::vector<Index> sizes;
  Index at = 0;
  for (const auto& part : parts) {
    const auto x = contiguous(part.detach());
    Kernels<Device>::copy_to_strided(x.shape(), x.data(), y.data() + at * y.strides()[d],
                                     y.strides());
    at += x.shape()[d];
    to.push_back(part.node());
    sizes.push_back(x.shape()[d]);
  }
  if (wanted)
    record(
        "concatenate", y,
        [to, sizes, d](const auto& dy) {
          Index begin = 0;
          for (std::size_t i = 0; i < to.size(); begin += sizes[i++])
            if (to[i]) to[i]->add(contiguous(slice(dy, d, begin, begin + sizes[i])));
        },
        parts);
  return y;
}

}  // namespace gaze
