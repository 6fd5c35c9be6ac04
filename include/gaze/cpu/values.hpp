// SPDX-License-Identifier: MIT
// Moving, converting and checking values on the CPU, any element type.
#pragma once
#include "gaze/core/parallel.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/strided.hpp"

namespace gaze::cpu {

/// y = x in another type; whole numbers lose the fraction and must hold the rest.
template <class T, class U>
void cast(Index n, const T* x, U* y) {
  parallel_for(n, 32768, [=](Index i, Index end) {
    for (; i < end; ++i) y[i] = static_cast<U>(x[i]);
  });
}

/// Throws what `check` says of the first element that does not lie between its bounds; a NaN lies
/// nowhere. `safe`, unless null, is x with -1 for those elements: a device that runs behind the
/// host goes on with them until the host waits, and throws then.
template <class T>
void check_values(Index n, const T* x, const ValueCheck& check, T* safe) {
  for (Index i = 0; i < n; ++i) {
    const auto value = static_cast<double>(x[i]);
    if (!(value > check.low && value < check.high)) check.fail(check, i, value);
  }
  if (safe) std::copy_n(x, n, safe);
}

/// y[0] = the sum of all elements, summed as sum() does.
template <class T>
void sum_to(Index n, const T* x, T* y) {
  *y = static_cast<T>(sum(n, x));
}

/// y = value[0] everywhere.
template <class T>
void fill_from(Index n, const T* value, T* y) {
  fill(n, *value, y);
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

}  // namespace gaze::cpu
