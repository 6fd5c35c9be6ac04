// SPDX-License-Identifier: MIT
// Filling, copying, converting and checking values on the CPU, any element type.
#pragma once
#include <algorithm>
#include <cstring>

#include "gaze/core/bf16.hpp"
#include "gaze/cpu/loops.hpp"
#include "gaze/kernels/values.hpp"

namespace gaze::cpu {

namespace reference {
template <class T>
void axpy(Index n, T alpha, const T* x, T* y) {
  for (Index i = 0; i < n; ++i) y[i] += alpha * x[i];
}
}  // namespace reference

template <class T>
void fill(Index n, T value, T* y) {
  parallel_for(n, detail::element_grain,
               [&](Index i, Index end) { std::fill(y + i, y + end, value); });
}

/// y = value[0] everywhere.
template <class T>
void fill_from(Index n, const T* value, T* y) {
  fill(n, *value, y);
}

/// y = x; the two may not overlap.
template <class T>
void copy(Index n, const T* x, T* y) {
  parallel_for(n, detail::element_grain, [&](Index i, Index end) {
    std::memcpy(y + i, x + i, static_cast<std::size_t>(end - i) * sizeof(T));
  });
}

/// y += alpha x.
template <class T>
void axpy(Index n, T alpha, const T* x, T* y) {
  parallel_for(n, detail::element_grain,
               [&](Index i, Index end) { GAZE_PICK(axpy, end - i, alpha, x + i, y + i); });
}

namespace detail {
template <class T, class U>
void convert(Index n, const T* x, U* y) {
  parallel_for(n, element_grain, [=](Index i, Index end) {
#if GAZE_X86
    if constexpr (std::is_same_v<T, float> && std::is_same_v<U, bf16>)
      if (isa() == Isa::avx512)
        return simd::avx512::round_to_bf16(end - i, x + i,
                                           reinterpret_cast<unsigned short*>(y) + i);
#endif
    for (; i < end; ++i) y[i] = static_cast<U>(x[i]);
  });
}
}  // namespace detail

/// y = x in another type. For whole numbers the fraction is dropped, and the rest must fit; bf16 is
/// rounded to the nearest, ties to even.
template <class T>
void cast(Index n, const T* x, float* y) {
  detail::convert(n, x, y);
}
template <class T>
void cast(Index n, const T* x, double* y) {
  detail::convert(n, x, y);
}
template <class T>
void cast(Index n, const T* x, std::int32_t* y) {
  detail::convert(n, x, y);
}
template <class T>
void cast(Index n, const T* x, bf16* y) {
  detail::convert(n, x, y);
}

/// Calls check.fail for the first element outside the bounds, a NaN included. `safe`, unless null,
/// becomes a copy of x. (A device that runs behind the host writes -1 there for such elements,
/// continues with them, and throws when the host next waits.)
template <class T>
void check_values(Index n, const T* x, const ValueCheck& check, T* safe) {
  for (Index i = 0; i < n; ++i) {
    const auto value = static_cast<double>(x[i]);
    if (!(value > check.low && value < check.high)) check.fail(check, i, value);
  }
  if (safe) std::copy_n(x, n, safe);
}

}  // namespace gaze::cpu
