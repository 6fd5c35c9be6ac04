// SPDX-License-Identifier: MIT
// Copies between contiguous arrays and strided views on the CPU, and sums over stretched axes, any
// element type: plain loops, since large arrays mostly go through the contiguous kernels.
#pragma once
#include <algorithm>
#include <type_traits>
#include <vector>

#include "gaze/core/parallel.hpp"
#include "gaze/core/shape.hpp"
#include "gaze/kernels/reduce.hpp"

namespace gaze::cpu {

namespace detail {

/// Calls f(first, offset_a, offset_b) for every innermost row of `shape`, `first` being the row's
/// first element in row-major order.
template <class Function>
void for_rows(const Shape& shape, const Shape& a, const Shape& b, Index begin, Index end,
              Function f) {
  const int outer = shape.rank() - 1;
  for (Index row = begin; row < end; ++row) {
    Index rest = row, at = 0, bt = 0;
    for (int i = outer - 1; i >= 0; --i) {
      const Index index = rest % shape[i];
      rest /= shape[i];
      at += index * a[i];
      bt += index * b[i];
    }
    f(row, at, bt);
  }
}

/// Turns rank 0 into rank 1, so that there always is an innermost axis.
inline Shape at_least_1d(const Shape& s, Index value) {
  return s.rank() ? s : Shape::filled(1, value);
}

}  // namespace detail

/// y (contiguous) = x seen with `strides`.
template <class T>
void copy_strided(const Shape& dims, const T* x, const Shape& steps, T* y) {
  const Shape shape = detail::at_least_1d(dims, 1), strides = detail::at_least_1d(steps, 1);
  const Index inner = shape.at(-1), step = strides.at(-1);
  if (shape.numel() == 0) return;
  parallel_for(shape.numel() / inner, 4096 / inner + 1, [&](Index begin, Index end) {
    detail::for_rows(shape, strides, strides, begin, end, [&](Index row, Index at, Index) {
      for (Index i = 0; i < inner; ++i) y[row * inner + i] = x[at + i * step];
    });
  });
}

/// y (seen with `strides`, none of them 0 where the size is not 1) = x (contiguous).
template <class T>
void copy_to_strided(const Shape& dims, const T* x, T* y, const Shape& steps) {
  const Shape shape = detail::at_least_1d(dims, 1), strides = detail::at_least_1d(steps, 1);
  const Index inner = shape.at(-1), step = strides.at(-1);
  if (shape.numel() == 0) return;
  parallel_for(shape.numel() / inner, 4096 / inner + 1, [&](Index begin, Index end) {
    detail::for_rows(shape, strides, strides, begin, end, [&](Index row, Index at, Index) {
      for (Index i = 0; i < inner; ++i) y[at + i * step] = x[row * inner + i];
    });
  });
}

/// y[r] = x[r] for n rows of c elements, each side with its own row stride.
template <class T>
void copy_rows(Index n, Index c, const T* x, Index x_stride, T* y, Index y_stride) {
  parallel_for(n, 16384 / (c + 1) + 1, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) std::copy_n(x + r * x_stride, c, y + r * y_stride);
  });
}

namespace detail {

/// y (seen with `strides`, 0 along summed axes) += x (contiguous), one by one.
template <class T, class U>
void chain_strided(const Shape& shape, const T* x, U* y, const Shape& strides) {
  const Index inner = shape.at(-1), step = strides.at(-1);
  for_rows(shape, strides, strides, 0, shape.numel() / inner, [&](Index row, Index at, Index) {
    for (Index i = 0; i < inner; ++i) y[at + i * step] += static_cast<U>(x[row * inner + i]);
  });
}

/// The sizes of the axes with stride 0 (`summed`) or of the others; 1 elsewhere.
inline Shape sizes_where(bool summed, const Shape& shape, const Shape& strides) {
  Shape out = shape;
  for (int d = 0; d < shape.rank(); ++d)
    if ((strides[d] == 0) != summed) out[d] = 1;
  return out;
}

}  // namespace detail

/// y (seen with `strides`, 0 along summed axes) += x (contiguous), in ascending order; long sums in
/// double.
template <class T>
void add_strided(const Shape& dims, const T* x, T* y, const Shape& steps) {
  const Shape shape = detail::at_least_1d(dims, 1), strides = detail::at_least_1d(steps, 0);
  if (shape.numel() == 0) return;
  if (!std::is_floating_point_v<T> ||
      detail::sizes_where(true, shape, strides).numel() <= kChainedValues)
    return detail::chain_strided(shape, x, y, strides);
  const Shape kept = detail::sizes_where(false, shape, strides);
  Shape of_sums = contiguous_strides(kept);
  for (int d = 0; d < shape.rank(); ++d)
    if (strides[d] == 0) of_sums[d] = 0;
  std::vector<double> sums(static_cast<std::size_t>(kept.numel()));
  detail::chain_strided(shape, x, sums.data(), of_sums);
  detail::chain_strided(kept, sums.data(), y, strides);
}

}  // namespace gaze::cpu
